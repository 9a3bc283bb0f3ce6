// P-tuning's encoder of parameters that are named as PEFT names them, in plain numbers: the LSTM, which the plain model
// leaves out, and the MLP.
#pragma once

#include <cmath>
#include <map>
#include <string>

#include "reference/model.hpp"

namespace reference {

using Parameters = std::map<std::string, Matrix>;

/// One layer of an LSTM in both directions; `weight(kind, reverse)` finds weight_ih, weight_hh, bias_ih and bias_hh.
template <class Weight>
Matrix lstm_both_ways(Matrix const& x, Weight const& weight) {
  int const hidden = static_cast<int>(weight("weight_hh", false).cols()), steps = count(x);
  Matrix y(steps, 2 * hidden);
  for (bool const reverse : {false, true}) {
    Row h = Row::Zero(hidden), cell = Row::Zero(hidden);
    for (int step = 0; step < steps; ++step) {
      int const t = reverse ? steps - 1 - step : step;
      Row const gates = x.row(t) * weight("weight_ih", reverse).transpose() + weight("bias_ih", reverse) +
                        h * weight("weight_hh", reverse).transpose() + weight("bias_hh", reverse);
      auto const sigmoid = [&](int gate) { return 1 / (1 + std::exp(-gates(gate))); };
      for (int k = 0; k < hidden; ++k) {
        cell(k) = sigmoid(hidden + k) * cell(k) + sigmoid(k) * std::tanh(gates(2 * hidden + k));
        h(k) = sigmoid(3 * hidden + k) * std::tanh(cell(k));
      }
      y.block(t, reverse ? hidden : 0, 1, hidden) = h;
    }
  }
  return y;
}

inline Linear linear_of(Parameters const& p, std::string const& name) {
  Linear linear;
  linear.weight = p.at(name + ".weight");
  linear.bias = p.at(name + ".bias");
  return linear;
}

/// The virtual tokens: the embeddings themselves, or what an LSTM and an MLP make of them.
inline Matrix prompt_encoder(Parameters const& p, std::string const& prefix) {
  Matrix x = p.at(prefix + "embedding.weight");
  for (int layer = 0; p.contains(prefix + "lstm_head.weight_ih_l" + std::to_string(layer)); ++layer)
    x = lstm_both_ways(x, [&](std::string const& kind, bool reverse) -> Matrix const& {
      return p.at(prefix + "lstm_head." + kind + "_l" + std::to_string(layer) + (reverse ? "_reverse" : ""));
    });
  std::string const head = prefix + "mlp_head.";
  if (p.contains(head + "4.weight"))
    return p_tuning_tokens(x, linear_of(p, head + "0"), linear_of(p, head + "2"), linear_of(p, head + "4"));
  if (p.contains(head + "2.weight"))  // behind an LSTM
    return linear_of(p, head + "2")(curve(Curve::relu, linear_of(p, head + "0")(x)));
  return x;
}

}  // namespace reference
