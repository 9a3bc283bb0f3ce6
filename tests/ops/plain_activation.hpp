// The activations and their formulas, for the tests of operations that have one.
#pragma once

#include <cmath>

#include <graft/ops/activation.hpp>

#include "ops/op_testing.hpp"

namespace graft::testing {

inline constexpr Activation all_activations[] = {Activation::gelu, Activation::gelu_tanh, Activation::silu,
                                                 Activation::relu, Activation::tanh};

inline double plain(Activation f, double x) {
  switch (f) {
    case Activation::gelu: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::relu: return x > 0 ? x : 0;
    default: return std::tanh(x);
  }
}

}  // namespace graft::testing
