/// @file
/// @brief What tells the tokens of packed rows apart where random numbers are addressed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/made_once.hpp>
#include <graft/kernels/dropout.hpp>
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

/// The address of each row of a packed batch; a token's is its row's and its place in the row. Layers share one, so
/// that a GPU gets it once a pass, and nothing of a step is left in what the kernels are told by themselves: a CUDA
/// graph serves every step of the same size.
class TokenAddresses {
 public:
  /// @param offsets `[rows + 1]`: row r holds the tokens [offsets[r], offsets[r + 1])
  /// @param addresses `[rows]`
  /// @throws ShapeError unless offsets rise from 0 and there is one address per row
  TokenAddresses(std::vector<Index> offsets, std::vector<std::uint64_t> addresses)
      : offsets_(std::move(offsets)), addresses_(std::move(addresses)) {
    if (offsets_.size() != addresses_.size() + 1 || offsets_[0] != 0 ||
        !std::is_sorted(offsets_.begin(), offsets_.end()))
      fail<ShapeError>("[dropout] got ", offsets_.size(), " row offsets and ", addresses_.size(),
                       " row addresses; expected offsets that rise from 0, one more than addresses");
  }

  [[nodiscard]] Index tokens() const { return offsets_.back(); }
  /// As the device's kernels read it. A GPU gets it at the first call, and nobody waits for it.
  template <class Device>
  [[nodiscard]] kernels::KeyedRows<Device> on(RandomKey key) const {
    auto const rows = static_cast<Index>(addresses_.size());
    if constexpr (std::is_same_v<Device, Cpu>) {
      return {offsets_.data(), addresses_.data(), rows, tokens(), key};
    } else {
      auto const& there = mirror_.get([this] { return std::make_shared<Mirror<Device> const>(*this); });
      return {there.offsets.data(), there.addresses.data(), rows, tokens(), key};
    }
  }

 private:
  template <class Device>
  struct Mirror {
    MirroredArray<Index, Device> offsets;
    MirroredArray<std::uint64_t, Device> addresses;

    explicit Mirror(TokenAddresses const& of) {
      StepArrays<Device> arrays;
      offsets = arrays.add(of.offsets_);
      addresses = arrays.add(of.addresses_);
      arrays.upload();
    }
  };

  std::vector<Index> offsets_;
  std::vector<std::uint64_t> addresses_;
  detail::MadeOnce<Mirror<Cuda> const> mirror_;
};

}  // namespace graft
