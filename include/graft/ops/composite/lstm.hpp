/// @file
/// @brief The LSTM as a composition, step by step and gate by gate.
#pragma once

#include <utility>
#include <vector>

#include <graft/ops/composite/parts.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/lstm.hpp>

namespace graft::composite {

/// `graft::lstm_layer`: c_t = σ(f) ∘ c_{t−1} + σ(i) ∘ tanh(g), h_t = σ(o) ∘ tanh(c_t), where i, f, g, o are the parts
/// of W_input·x_t + b_input + W_recurrent·h_{t−1} + b_recurrent. x `[steps, in]` → `[steps, directions·hidden]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> lstm_layer(Variable<Scalar, Device> const& x,
                                                  std::vector<LstmWeights<Scalar, Device>> const& directions) {
  using Value = Variable<Scalar, Device>;
  Index const steps = x.rows(), hidden = directions[0].recurrent.width(),
              width = static_cast<Index>(directions.size()) * hidden;
  std::vector<std::pair<int, Index>> in_order;  // the first row of each step's output
  for (Index t = 0; t < steps; ++t) in_order.emplace_back(static_cast<int>(t), 0);
  Value all;
  for (std::size_t d = 0; d < directions.size(); ++d) {
    auto const& w = directions[d];
    Value h = detail::filled<Scalar, Device>(Shape{1, hidden}, 0), c = h;  // [1, hidden]
    std::vector<Value> outputs(static_cast<std::size_t>(steps));
    for (Index k = 0; k < steps; ++k) {
      Index const t = d == 1 ? steps - 1 - k : k;
      auto const part = [&](Index gate) {  // [1, hidden]
        auto const own = [&](Value const& weights) { return slice_rows(weights, gate * hidden, (gate + 1) * hidden); };
        return add(linear(slice_rows(x, t, t + 1), own(w.input), own(w.input_bias)),
                   linear(h, own(w.recurrent), own(w.recurrent_bias)));
      };
      auto const i = sigmoid(part(0)), f = sigmoid(part(1)), g = tanh(part(2)), o = sigmoid(part(3));
      c = add(multiply(f, c), multiply(i, g));
      h = multiply(o, tanh(c));
      outputs[static_cast<std::size_t>(t)] = h;
    }
    auto const y =
        detail::place(assemble_rows(outputs, in_order), width, static_cast<Index>(d) * hidden);  // [steps, width]
    all = d == 0 ? y : add(all, y);
  }
  return all;
}

/// `graft::lstm`: layers one above the other.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> lstm(Variable<Scalar, Device> x,
                                            std::vector<std::vector<LstmWeights<Scalar, Device>>> const& layers) {
  for (auto const& layer : layers) x = composite::lstm_layer(x, layer);
  return x;
}

}  // namespace graft::composite
