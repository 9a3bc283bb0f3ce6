/// @file
/// @brief A 64-bit hash of a model's weights as numbers: the same for the same numbers in other files, shards or wider
/// types.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/checksum.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/tensor/device_copy.hpp>
#include <graft/tensor/tensor.hpp>
#include <graft/weights/frozen_matrix.hpp>

namespace graft {

namespace detail {

/// Collects named tensors and hashes all their values, each as a float32, in pieces that threads share. Numbers on
/// another device come to the host, one tensor at a time.
class WeightsHash {
 public:
  template <class Stored, class Device>
  void add(std::string_view name, Tensor<Stored, Device> const& tensor) {
    if (tensor.empty()) return;
    std::string const label = cat(name, " ", tensor.shape(), ";");
    order_ = checksum(label.data(), label.size(), order_);
    if constexpr (std::is_same_v<Device, Cpu>)
      add_kept(tensor);
    else
      add_dense(downloaded(tensor));
  }
  template <class Scalar, class Device>
  void add(std::string_view name, FrozenMatrix<Scalar, Device> const& matrix) {
    if (matrix.empty()) return;
    bool const turned = matrix.layout() == Layout::in_out;
    std::string const label =
        cat(name, " ", turned ? Shape{matrix.in(), matrix.out()} : Shape{matrix.out(), matrix.in()}, ";");
    order_ = checksum(label.data(), label.size(), order_);
    if (std::is_same_v<Device, Cpu> && matrix.storage()->in_order())
      add_kept(matrix);
    else
      add_dense(downloaded(matrix.dense()));
  }

  /// 16 hexadecimal digits.
  [[nodiscard]] std::string digits() const {
    std::vector<std::uint64_t> sums(pieces_.size());
    parallel_for(static_cast<Index>(pieces_.size()),
                 [&](Index i) { sums[static_cast<std::size_t>(i)] = pieces_[static_cast<std::size_t>(i)](); });
    char text[20];
    std::snprintf(text, sizeof text, "%016llx",
                  static_cast<unsigned long long>(checksum(sums.data(), sums.size() * sizeof(std::uint64_t), order_)));
    return text;
  }

 private:
  static constexpr Index piece = 1 << 18;
  /// The pieces of numbers that stay where they are until `digits`.
  template <class Stored>
  void add_kept(Tensor<Stored> const& tensor) {
    for (Index first = 0; first < tensor.size(); first += piece)
      pieces_.push_back([at = tensor.data() + first, count = std::min(piece, tensor.size() - first)] {
        return hash_values(count, [at](Index from, Index size, float* wide) {
          for (Index i = 0; i < size; ++i) wide[i] = static_cast<float>(at[from + i]);
        });
      });
  }
  template <class Scalar, class Device>
  void add_kept(FrozenMatrix<Scalar, Device> const& matrix) {
    auto const* const storage = matrix.storage().get();
    for (Index first = 0; first < matrix.size(); first += piece)
      pieces_.push_back([storage, first, count = std::min(piece, matrix.size() - first)] {
        return hash_values(count,
                           [&](Index from, Index size, float* wide) { storage->read(first + from, size, wide); });
      });
  }
  /// The pieces of numbers that are not kept so long.
  template <class Scalar>
  void add_dense(Tensor<Scalar, Cpu> const& dense) {
    Index const pieces = (dense.size() + piece - 1) / piece;
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(pieces));
    parallel_for(pieces, [&](Index i) {
      auto const* const at = dense.data() + i * piece;
      sums[static_cast<std::size_t>(i)] =
          hash_values(std::min(piece, dense.size() - i * piece), [at](Index from, Index size, float* wide) {
            for (Index k = 0; k < size; ++k) wide[k] = static_cast<float>(at[from + k]);
          });
    });
    for (std::uint64_t const sum : sums) pieces_.push_back([sum] { return sum; });
  }
  /// `read(first, count, wide)` gives the numbers.
  template <class Read>
  static std::uint64_t hash_values(Index count, Read const& read) {
    std::array<float, 4096> wide;
    std::uint64_t sum = 0;
    for (Index first = 0; first < count; first += static_cast<Index>(wide.size())) {
      Index const size = std::min(static_cast<Index>(wide.size()), count - first);
      read(first, size, wide.data());
      sum = checksum(wide.data(), static_cast<std::size_t>(size) * sizeof(float), sum);
    }
    return sum;
  }

  std::vector<std::function<std::uint64_t()>> pieces_;
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
    given_ = nullptr;
    return *this;
  }
  template <class Make>
  [[nodiscard]] std::string get(Make const& make) const {
    std::lock_guard const guard(mutex_);
    if (text_.empty()) text_ = given_ ? given_() : make();
    given_ = nullptr;  // with what it holds
    return text_;
  }
  /// Another way to the text than that of `get`.
  void give(std::function<std::string()> make) {
    std::lock_guard const guard(mutex_);
    given_ = std::move(make);
  }

 private:
  mutable std::function<std::string()> given_;
  mutable std::mutex mutex_;
  mutable std::string text_;
};

}  // namespace detail
}  // namespace graft
