/// @file
/// @brief The steps between attention's products, on one query's scores against one block of keys: whole registers,
/// with the keys that the query does not see masked out of the last one.
#pragma once

#include <array>
#include <limits>

#include <graft/kernels/cpu/row_products.hpp>
#include <graft/kernels/cpu/simd.hpp>

namespace graft::kernels::cpu {

/// `inside` in the first lanes and `outside` in the others: a window of a register's width slides over both.
template <class Scalar>
class LaneMask {
 public:
  constexpr LaneMask(Scalar inside, Scalar outside) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = i < values_.size() / 2 ? inside : outside;
  }
  /// The mask for `count` lanes inside.
  [[nodiscard]] simd::Register<Scalar> first(Index count) const {
    return simd::load<Scalar>(values_.data() + simd::size<Scalar> - count);
  }

 private:
  std::array<Scalar, 2 * static_cast<std::size_t>(simd::size<Scalar>)> values_{};
};
/// Added to scores: −∞ where a key is not seen.
template <class Scalar>
inline constexpr LaneMask<Scalar> hide{Scalar(0), -std::numeric_limits<Scalar>::infinity()};
/// Multiplied into probabilities: 0 where a key is not seen.
template <class Scalar>
inline constexpr LaneMask<Scalar> keep{Scalar(1), Scalar(0)};

/// score = scale · score + bias for the `seen` keys (bias null: none; readable up to whole registers), −∞ up to the
/// register's end. Returns the greatest of them and of `greatest`, by lanes.
template <class Scalar>
simd::Register<Scalar> scale_scores(Scalar* score, Index seen, Scalar scale, Scalar const* bias,
                                    simd::Register<Scalar> greatest) {
  auto const factor = simd::broadcast<Scalar>(scale);
  for (Index j = 0; j < seen; j += simd::size<Scalar>) {
    auto value = simd::pmul(simd::load<Scalar>(score + j), factor);
    if (bias) value = simd::padd(value, simd::load<Scalar>(bias + j));
    if (seen - j < simd::size<Scalar>) value = simd::padd(value, hide<Scalar>.first(seen - j));
    simd::store<Scalar>(score + j, value);
    greatest = simd::pmax(greatest, value);
  }
  return greatest;
}

/// score = exp(score − shift) for the `seen` keys and 0 up to `width`; returns their sum added to `sum`, by lanes.
template <class Scalar>
simd::Register<Scalar> exponentiate(Scalar* score, Index seen, Index width, Scalar shift, simd::Register<Scalar> sum) {
  auto const shifts = simd::broadcast<Scalar>(shift);
  Index j = 0;
  for (; j < seen; j += simd::size<Scalar>) {
    auto value = simd::exp<Scalar>(simd::psub(simd::load<Scalar>(score + j), shifts));
    if (seen - j < simd::size<Scalar>) value = simd::pmul(value, keep<Scalar>.first(seen - j));
    simd::store<Scalar>(score + j, value);
    sum = simd::padd(sum, value);
  }
  for (; j < width; j += simd::size<Scalar>) simd::store<Scalar>(score + j, simd::broadcast<Scalar>(Scalar(0)));
  return sum;
}

/// ds = scale · p∘(ds − delta) for the `seen` keys and 0 up to `width`; p∘(ds − delta) is added to `bias_gradient`
/// (null: not wanted).
template <class Scalar>
void score_gradient(Scalar const* p, Scalar* ds, Index seen, Index width, Scalar scale, Scalar delta,
                    Scalar* bias_gradient) {
  auto const factor = simd::broadcast<Scalar>(scale), deltas = simd::broadcast<Scalar>(delta);
  Index j = 0;
  for (; j < seen; j += simd::size<Scalar>) {
    auto const value = simd::pmul(simd::load<Scalar>(p + j), simd::psub(simd::load<Scalar>(ds + j), deltas));
    if (bias_gradient) simd::store<Scalar>(bias_gradient + j, simd::padd(simd::load<Scalar>(bias_gradient + j), value));
    simd::store<Scalar>(ds + j, simd::pmul(value, factor));
  }
  for (; j < width; j += simd::size<Scalar>) simd::store<Scalar>(ds + j, simd::broadcast<Scalar>(Scalar(0)));
}

}  // namespace graft::kernels::cpu
