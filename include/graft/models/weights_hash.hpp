/// @file
/// @brief A 64-bit hash of a model's weights as numbers: the same for the same numbers in other files, shards or wider types.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <graft/core/checksum.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/tensor/frozen_matrix.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

namespace detail {

/// Collects named tensors and hashes all their values, each as a float32, in pieces that threads share.
class WeightsHash {
 public:
  template <class Stored>
  void add(std::string_view name, Tensor<Stored, Cpu> const& tensor) {
    if (tensor.empty()) return;
    std::string const label = cat(name, " ", tensor.shape(), ";");
    order_ = checksum(label.data(), label.size(), order_);
    for (Index first = 0; first < tensor.size(); first += piece)
      pieces_.push_back({tensor.data() + first, std::min(piece, tensor.size() - first), &hash_piece<Stored>});
  }
  template <class Scalar>
  void add(std::string_view name, FrozenMatrix<Scalar, Cpu> const& matrix) {
    if (!matrix.empty()) std::visit([&](auto const& stored) { add(name, stored); }, matrix.storage());
  }

  /// 16 hexadecimal digits.
  [[nodiscard]] std::string digits() const {
    std::vector<std::uint64_t> sums(pieces_.size());
    parallel_for(static_cast<Index>(pieces_.size()), [&](Index i) {
      auto const& one = pieces_[static_cast<std::size_t>(i)];
      sums[static_cast<std::size_t>(i)] = one.hash(one.values, one.count);
    });
    char text[20];
    std::snprintf(text, sizeof text, "%016llx",
                  static_cast<unsigned long long>(checksum(sums.data(), sums.size() * sizeof(std::uint64_t), order_)));
    return text;
  }

 private:
  static constexpr Index piece = 1 << 18;
  struct Piece {
    void const* values;
    Index count;
    std::uint64_t (*hash)(void const*, Index);
  };
  template <class Stored>
  static std::uint64_t hash_piece(void const* values, Index count) {
    auto const* const stored = static_cast<Stored const*>(values);
    std::array<float, 4096> wide;
    std::uint64_t sum = 0;
    for (Index first = 0; first < count; first += static_cast<Index>(wide.size())) {
      Index const size = std::min(static_cast<Index>(wide.size()), count - first);
      for (Index i = 0; i < size; ++i) wide[static_cast<std::size_t>(i)] = static_cast<float>(stored[first + i]);
      sum = checksum(wide.data(), static_cast<std::size_t>(size) * sizeof(float), sum);
    }
    return sum;
  }

  std::vector<Piece> pieces_;
  std::uint64_t order_ = 0;
};

/// A text that is computed when it is first asked for. A copy, which may be changed, starts without.
class LazyText {
 public:
  LazyText() = default;
  LazyText(LazyText const&) {}
  LazyText& operator=(LazyText const&) {
    std::lock_guard const guard(mutex_);
    text_.clear();
    return *this;
  }
  template <class Make>
  [[nodiscard]] std::string get(Make const& make) const {
    std::lock_guard const guard(mutex_);
    if (text_.empty()) text_ = make();
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::string text_;
};

}  // namespace detail
}  // namespace graft
