/// @file
/// @brief Rotary position embeddings as a composition.
#pragma once

#include <cmath>
#include <vector>

#include <graft/ops/composite/parts.hpp>

namespace graft::composite {

/// `graft::rotary` with the table of these `frequencies` (radians a position, one a pair) and heads of `head_width`: x
/// ∘ cos + x·R ∘ sin, where R turns each pair (a, b) of a head to (−b, a); columns that are not rotated have cos = 1
/// and sin = 0. x
/// `[tokens, heads·head_width]`, one position a token.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> rotary(Variable<Scalar, Device> const& x, std::vector<Index> const& positions,
                                              std::vector<double> const& frequencies, Index head_width) {
  Index const width = x.width(), half = static_cast<Index>(frequencies.size());
  Tensor<Scalar> cosine = full(x.shape(), Scalar(1)), sine = zeros<Scalar>(x.shape());  // [tokens, width]
  Tensor<Scalar> turn = zeros<Scalar>(Shape{width, width});                             // Rᵀ
  for (Index head = 0; head < width; head += head_width)
    for (Index j = 0; j < half; ++j) {
      Index const a = head + j, b = a + half;
      turn.row(a)[b] = -1;
      turn.row(b)[a] = 1;
      for (Index t = 0; t < x.rows(); ++t) {
        double const angle =
            static_cast<double>(positions[static_cast<std::size_t>(t)]) * frequencies[static_cast<std::size_t>(j)];
        cosine.row(t)[a] = cosine.row(t)[b] = static_cast<Scalar>(std::cos(angle));
        sine.row(t)[a] = sine.row(t)[b] = static_cast<Scalar>(std::sin(angle));
      }
    }
  auto const turned = linear(x, detail::constant<Device>(turn));
  return add(multiply(x, detail::constant<Device>(cosine)), multiply(turned, detail::constant<Device>(sine)));
}

}  // namespace graft::composite
