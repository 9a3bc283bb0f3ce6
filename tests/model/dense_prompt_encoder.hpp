// P-tuning's encoder written a second time, number by number.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "dense_reference.hpp"

namespace dense {

/// x W' + b, row by row; negative results become 0 where `cut`.
inline Matrix affine(Matrix const& x, Matrix const& w, Matrix const& b, bool cut) {
  Matrix y(x.rows, w.rows);
  for (std::size_t r = 0; r < x.rows; ++r)
    for (std::size_t o = 0; o < w.rows; ++o) {
      double sum = b.data[o];
      for (std::size_t k = 0; k < x.width; ++k) sum += w(o, k) * x(r, k);
      y(r, o) = cut && sum < 0 ? 0 : sum;
    }
  return y;
}

/// One layer of an LSTM in both directions; `weight(kind, reverse)` finds weight_ih, weight_hh, bias_ih and bias_hh.
template <class Weight>
Matrix lstm_both_ways(Matrix const& x, Weight const& weight) {
  std::size_t const hidden = weight("weight_hh", false).width;
  Matrix y(x.rows, 2 * hidden);
  for (bool const reverse : {false, true}) {
    Matrix const &w = weight("weight_ih", reverse), &u = weight("weight_hh", reverse), &b = weight("bias_ih", reverse),
                 &c = weight("bias_hh", reverse);
    std::vector<double> h(hidden), cell(hidden);
    for (std::size_t step = 0; step < x.rows; ++step) {
      std::size_t const t = reverse ? x.rows - 1 - step : step;
      std::vector<double> gates(4 * hidden);
      for (std::size_t g = 0; g < gates.size(); ++g) {
        gates[g] = b.data[g] + c.data[g];
        for (std::size_t k = 0; k < x.width; ++k) gates[g] += w(g, k) * x(t, k);
        for (std::size_t k = 0; k < hidden; ++k) gates[g] += u(g, k) * h[k];
      }
      auto const sigmoid = [&](std::size_t g) { return 1 / (1 + std::exp(-gates[g])); };
      for (std::size_t k = 0; k < hidden; ++k) {
        cell[k] = sigmoid(hidden + k) * cell[k] + sigmoid(k) * std::tanh(gates[2 * hidden + k]);
        h[k] = sigmoid(3 * hidden + k) * std::tanh(cell[k]);
        y(t, (reverse ? hidden : 0) + k) = h[k];
      }
    }
  }
  return y;
}

/// The virtual tokens of parameters that are named as PEFT names them.
inline Matrix prompt_encoder(std::map<std::string, Matrix> const& p, std::string const& prefix) {
  Matrix x = p.at(prefix + "embedding.weight");
  for (int layer = 0; p.contains(prefix + "lstm_head.weight_ih_l" + std::to_string(layer)); ++layer)
    x = lstm_both_ways(x, [&](std::string const& kind, bool reverse) -> Matrix const& {
      return p.at(prefix + "lstm_head." + kind + "_l" + std::to_string(layer) + (reverse ? "_reverse" : ""));
    });
  for (int place = 0; p.contains(prefix + "mlp_head." + std::to_string(place) + ".weight"); place += 2) {
    std::string const name = prefix + "mlp_head." + std::to_string(place);
    x = affine(x, p.at(name + ".weight"), p.at(name + ".bias"),
               p.contains(prefix + "mlp_head." + std::to_string(place + 2) + ".weight"));
  }
  return x;
}

}  // namespace dense
