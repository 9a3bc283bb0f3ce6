/// @file
/// @brief Rotary position embeddings (Su et al. 2021), half-split pairs as in GPT-NeoX and Hugging Face's Llama.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/kernels/rotary.hpp>
#include <graft/ops/storage.hpp>
#include <graft/tensor/mirrored_array.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft {

/// theta^(-2j/dimensions) for j in [0, dimensions/2): the angles per position, in radians, of the unscaled method.
[[nodiscard]] inline std::vector<double> rotary_frequencies(Index dimensions, double theta = 10000.0) {
  if (dimensions <= 0 || dimensions % 2 != 0)
    fail<ConfigError>("[rotary] got ", dimensions, " rotated dimensions; expected a positive even number");
  if (dimensions > 65536) fail<ConfigError>("[rotary] got ", dimensions, " rotated dimensions; expected at most 65536");
  std::vector<double> frequencies(static_cast<std::size_t>(dimensions / 2));
  for (std::size_t j = 0; j < frequencies.size(); ++j)
    frequencies[j] = std::pow(theta, -2.0 * static_cast<double>(j) / static_cast<double>(dimensions));
  return frequencies;
}

/// Cosines and sines for every position seen so far. Copies share one table, which grows by itself and may be used by
/// several threads.
template <class Scalar, class Device = Cpu>
class RotaryTable {
 public:
  RotaryTable() = default;
  /// `frequencies`: radians per position of each pair, scaled as the model asks. Twice as many dimensions of each head
  /// are rotated; the rest of `head_width`, which is by default none, is left as it is.
  /// @throws ConfigError if the head has fewer dimensions than are rotated.
  explicit RotaryTable(std::vector<double> frequencies, Index head_width = 0) : state_(std::make_shared<State>()) {
    Index const rotated = 2 * static_cast<Index>(frequencies.size());
    if (rotated == 0 || (head_width != 0 && head_width < rotated))
      fail<ConfigError>("[rotary] got ", frequencies.size(), " frequencies for heads of width ", head_width,
                        "; expected at least 1, and at most ", head_width / 2);
    state_->head_width = head_width == 0 ? rotated : head_width;
    state_->frequencies = std::move(frequencies);
  }

  [[nodiscard]] bool empty() const { return state_ == nullptr; }
  [[nodiscard]] Index head_width() const { return state_->head_width; }
  /// Pairs of dimensions rotated in each head.
  [[nodiscard]] Index pairs() const { return state_->frequencies.size(); }
  /// Rows for at least `positions` positions: cosines, then sines.
  [[nodiscard]] Tensor<Scalar, Device> rows(Index positions) const {
    Index const present = held().rows();
    if (present > 0 && present >= positions) return held();
    // Computed without the lock: the pool's threads may be waiting for it.
    Index const capacity = std::max({Index{256}, positions, 2 * present});
    Tensor<Scalar, Device> table(Shape{capacity, 2 * pairs()});
    kernels::On<Device, kernels::Rotary, Scalar>::rotary_table(state_->frequencies.data(), pairs(), Index{0}, capacity,
                                                               table.data());
    std::lock_guard<std::mutex> const lock(state_->mutex);
    if (state_->table.rows() < capacity) state_->table = table;
    return table;
  }

 private:
  [[nodiscard]] Tensor<Scalar, Device> held() const {
    std::lock_guard<std::mutex> const lock(state_->mutex);
    return state_->table;
  }

  struct State {
    std::mutex mutex;
    Index head_width = 0;
    MirroredArray<double, Device> frequencies;
    Tensor<Scalar, Device> table;
  };
  std::shared_ptr<State> state_;
};

/// Rotates pair (j, j + pairs) of every head of x [tokens, heads·head_width] by position · frequency_j; dx is dy
/// rotated back. Keeps nothing of x.
/// @throws ShapeError if x is not made of such heads or `positions` does not have one entry, 0 or more, per token.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> rotary(Variable<Scalar, Device> const& x,
                                              std::type_identity_t<MirroredArray<Index, Device>> const& positions,
                                              RotaryTable<SumOf<Scalar>, Device> const& table) {
  using Values = Tensor<Scalar, Device>;
  using Sum = SumOf<Scalar>;
  Index const tokens = x.rows(), head_width = table.head_width(), half = table.pairs(), heads = x.width() / head_width;
  if (x.shape().rank() < 2 || heads * head_width != x.width())
    fail<ShapeError>("[rotary] got an input of shape ", x.shape(), "; expected [tokens, heads·", head_width, "]");
  if (positions.size() != tokens)
    fail<ShapeError>("[rotary] got ", positions.size(), " positions; expected one for each of ", tokens, " tokens");
  if (tokens == 0) return x;
  auto const [least, most] = std::minmax_element(positions.host().begin(), positions.host().end());
  if (*least < 0) fail<ShapeError>("[rotary] got position ", *least, "; expected 0 or more");
  Tensor<Sum, Device> const turns = table.rows(*most + 1);
  Values y(x.shape());
  kernels::On<Device, kernels::Rotary, Scalar>::rotate(x.value().data(), turns.data(), positions.data(), Sum(1), tokens,
                                                       heads, head_width, half, y.data());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [tokens, heads, head_width, half, turns, positions, slot = x.slot()](Values const& dy) {
    Values dx = recycled(dy);
    kernels::On<Device, kernels::Rotary, Scalar>::rotate(dy.data(), turns.data(), positions.data(), Sum(-1), tokens,
                                                         heads, head_width, half, dx.data());
    slot->accumulate(std::move(dx));
  });
}

#ifdef GRAFT_COMPILED
extern template Variable<float> rotary(Variable<float> const&, MirroredArray<Index> const&, RotaryTable<float> const&);
extern template Variable<double> rotary(Variable<double> const&, MirroredArray<Index> const&,
                                        RotaryTable<double> const&);
#endif

}  // namespace graft
