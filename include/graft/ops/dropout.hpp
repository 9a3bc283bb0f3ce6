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
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

/// One key per token of a packed batch: that of (key, row's address, position in the row). Row r holds tokens
/// [offsets[r], offsets[r + 1]).
/// @throws ShapeError if the offsets do not rise from 0, or there is not one address per row.
[[nodiscard]] inline std::vector<RandomKey> token_keys(std::vector<Index> const& offsets,
                                                       std::vector<std::uint64_t> const& addresses, RandomKey key) {
  if (offsets.size() != addresses.size() + 1 || offsets[0] != 0 || !std::is_sorted(offsets.begin(), offsets.end()))
    fail<ShapeError>("[dropout] got ", offsets.size(), " row offsets and ", addresses.size(),
                     " row addresses; expected offsets that rise from 0, one more than addresses");
  std::vector<RandomKey> keys;
  keys.reserve(static_cast<std::size_t>(offsets.back()));
  for (std::size_t row = 0; row < addresses.size(); ++row) {
    RandomKey const of_row = key.with(addresses[row]);
    for (Index i = offsets[row]; i < offsets[row + 1]; ++i)
      keys.push_back(of_row.with(static_cast<std::uint64_t>(i - offsets[row])));
  }
  return keys;
}

/// Each element of x [tokens, width] is 0 with this probability, else divided by 1 - probability; dx is dy under the
/// same mask, which is recomputed, not kept. The mask at a token and column is a function of (key, its row's address,
/// its position in the row, the column); give `key` the seed, the step and the site. `offsets` and `addresses` are
/// those of `token_keys`. Probability 0: x itself.
/// @throws ConfigError for a probability outside [0, 1), ShapeError for offsets that do not end at x's number of
/// tokens.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> dropout(Variable<Scalar, Device> const& x, double probability,
                                               std::vector<Index> const& offsets,
                                               std::vector<std::uint64_t> const& addresses, RandomKey key) {
  if (!(probability >= 0 && probability < 1))
    fail<ConfigError>("[dropout] got probability ", probability, "; expected 0 or more, and less than 1");
  if (probability == 0) return x;
  MirroredArray<RandomKey, Device> const keys = token_keys(offsets, addresses, key);
  if (keys.size() != x.rows())
    fail<ShapeError>("[dropout] got offsets of ", keys.size(), " tokens; expected those of the input's ", x.rows());
  auto const threshold = static_cast<std::uint32_t>(std::min(std::round(probability * 0x1.0p32), 0x1.0p32 - 1));
  Scalar const factor = static_cast<Scalar>(1 / (1 - probability));
  Index const rows = x.rows(), width = x.width();
  Tensor<Scalar, Device> y(x.shape());
  kernels::On<Device, kernels::Dropout, Scalar>::dropout(x.value().data(), keys.data(), threshold, factor, rows, width,
                                                         y.data());
  if (!needs_gradient(x)) return y;
  return record(std::move(y),
                [keys, threshold, factor, rows, width, slot = x.slot()](Tensor<Scalar, Device> const& dy) {
                  Tensor<Scalar, Device> dx = recycled(dy);
                  kernels::On<Device, kernels::Dropout, Scalar>::dropout(dy.data(), keys.data(), threshold, factor,
                                                                         rows, width, dx.data());
                  slot->accumulate(std::move(dx));
                });
}

}  // namespace graft
