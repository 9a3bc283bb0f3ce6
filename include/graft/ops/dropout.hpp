/// @file
/// @brief Dropout (Srivastava et al. 2014) whose mask depends on addresses, never on how a batch was packed.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/kernels/dropout.hpp>
#include <graft/ops/storage.hpp>
#include <graft/ops/token_addresses.hpp>

namespace graft {

namespace detail {

/// The tokens of packed rows, and how they are dropped.
struct DropoutMask {
  std::shared_ptr<TokenAddresses const> tokens;
  RandomKey key;
  std::uint32_t threshold;
  double factor;

  /// y = x ∘ mask · factor; both `[tokens, width]`.
  template <class Scalar, class Device>
  void apply(Tensor<Scalar, Device> const& x, Tensor<Scalar, Device>& y) const {
    kernels::On<Device, kernels::Dropout, Scalar>::dropout(x.data(), tokens->on<Device>(key), threshold,
                                                           static_cast<Scalar>(factor), x.width(), y.data());
  }
};

}  // namespace detail

/// Each element of x [tokens, width] is 0 with this probability, else divided by 1 - probability; dx is dy under the
/// same mask, which is recomputed, not kept. The mask at a token and column is a function of (key, its row's address,
/// its position in the row, the column); seed, step and site belong into key or address. On a GPU a step is best told
/// by the address, because CUDA graphs contain the key. Probability 0: x itself.
/// @throws ConfigError for a probability outside [0, 1), ShapeError unless there are as many tokens as x has rows
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> dropout(Variable<Scalar, Device> const& x, double probability,
                                               std::shared_ptr<TokenAddresses const> tokens, RandomKey key) {
  if (!(probability >= 0 && probability < 1))
    fail<ConfigError>("[dropout] got probability ", probability, "; expected 0 or more, and less than 1");
  if (probability == 0) return x;
  if (tokens->tokens() != x.rows())
    fail<ShapeError>("[dropout] got offsets of ", tokens->tokens(), " tokens; expected those of the input's ",
                     x.rows());
  auto const threshold = static_cast<std::uint32_t>(std::min(std::round(probability * 0x1.0p32), 0x1.0p32 - 1));
  detail::DropoutMask mask{std::move(tokens), key, threshold, 1 / (1 - probability)};
  Tensor<Scalar, Device> y(x.shape());
  mask.apply(x.value(), y);
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [mask = std::move(mask), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);
    mask.apply(dy, dx);
    slot->accumulate(std::move(dx));
  });
}
/// The same where row r of the packed batch holds tokens [offsets[r], offsets[r + 1]) and has addresses[r].
/// @throws ShapeError also unless offsets rise from 0 and there is one address per row
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> dropout(Variable<Scalar, Device> const& x, double probability,
                                               std::vector<Index> offsets, std::vector<std::uint64_t> addresses,
                                               RandomKey key) {
  return dropout(x, probability, std::make_shared<TokenAddresses const>(std::move(offsets), std::move(addresses)), key);
}

}  // namespace graft
