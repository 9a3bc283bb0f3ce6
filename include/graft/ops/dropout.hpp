/// @file
/// @brief Dropout (Srivastava et al. 2014) whose mask depends on addresses, never on how a batch was packed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/kernels/dropout.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

namespace detail {

/// The tokens of packed rows, and how they are dropped; a copy is a few numbers a row.
struct DropoutMask {
  std::vector<Index> offsets;            ///< `[rows + 1]`: row r holds tokens [offsets[r], offsets[r + 1])
  std::vector<std::uint64_t> addresses;  ///< `[rows]`
  RandomKey key;
  std::uint32_t threshold;
  double factor;

  /// y = x ∘ mask · factor; both `[tokens, width]`.
  template <class Scalar, class Device>
  void apply(Tensor<Scalar, Device> const& x, Tensor<Scalar, Device>& y) const {
    kernels::KeyedRows const rows{offsets.data(), addresses.data(), static_cast<Index>(addresses.size()), key};
    kernels::On<Device, kernels::Dropout, Scalar>::dropout(x.data(), rows, threshold, static_cast<Scalar>(factor),
                                                           x.width(), y.data());
  }
};

}  // namespace detail

/// Each element of x [tokens, width] is 0 with this probability, else divided by 1 - probability; dx is dy under the
/// same mask, which is recomputed, not kept. Row r of the packed batch holds tokens [offsets[r], offsets[r + 1]). The
/// mask at a token and column is a function of (key, its row's address, its position in the row, the column); give
/// `key` the seed, the step and the site. Probability 0: x itself.
/// @throws ConfigError for a probability outside [0, 1), ShapeError for offsets that do not rise from 0 to x's number
/// of tokens, or if there is not one address per row.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> dropout(Variable<Scalar, Device> const& x, double probability,
                                               std::vector<Index> const& offsets,
                                               std::vector<std::uint64_t> const& addresses, RandomKey key) {
  if (!(probability >= 0 && probability < 1))
    fail<ConfigError>("[dropout] got probability ", probability, "; expected 0 or more, and less than 1");
  if (probability == 0) return x;
  if (offsets.size() != addresses.size() + 1 || offsets[0] != 0 || !std::is_sorted(offsets.begin(), offsets.end()))
    fail<ShapeError>("[dropout] got ", offsets.size(), " row offsets and ", addresses.size(),
                     " row addresses; expected offsets that rise from 0, one more than addresses");
  if (offsets.back() != x.rows())
    fail<ShapeError>("[dropout] got offsets of ", offsets.back(), " tokens; expected those of the input's ", x.rows());
  auto const threshold = static_cast<std::uint32_t>(std::min(std::round(probability * 0x1.0p32), 0x1.0p32 - 1));
  detail::DropoutMask mask{offsets, addresses, key, threshold, 1 / (1 - probability)};
  Tensor<Scalar, Device> y(x.shape());
  mask.apply(x.value(), y);
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [mask = std::move(mask), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);
    mask.apply(dy, dx);
    slot->accumulate(std::move(dx));
  });
}

}  // namespace graft
