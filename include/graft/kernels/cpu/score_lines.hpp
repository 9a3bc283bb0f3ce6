/// @file
/// @brief The steps between attention's products, on one query's scores against one block of keys: whole registers, with the keys that
/// the query does not see masked out of the last one.
#pragma once

#include <array>
#include <cmath>
#include <limits>

#include <graft/kernels/cpu/row_products.hpp>

namespace graft::kernels::cpu {

/// `inside` in the first lanes and `outside` in the others: a window of a register's width slides over both.
template <class Scalar>
class LaneMask {
 public:
  constexpr LaneMask(Scalar inside, Scalar outside) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = i < values_.size() / 2 ? inside : outside;
  }
  /// The mask for `count` lanes inside.
  [[nodiscard]] Packet<Scalar> first(Index count) const {
    return Eigen::internal::ploadu<Packet<Scalar>>(values_.data() + packet_size<Scalar> - count);
  }

 private:
  std::array<Scalar, 2 * static_cast<std::size_t>(packet_size<Scalar>)> values_{};
};
/// Added to scores: −∞ where a key is not seen.
template <class Scalar>
inline constexpr LaneMask<Scalar> hide{Scalar(0), -std::numeric_limits<Scalar>::infinity()};
/// Multiplied into probabilities: 0 where a key is not seen.
template <class Scalar>
inline constexpr LaneMask<Scalar> keep{Scalar(1), Scalar(0)};

template <class Scalar>
EIGEN_ALWAYS_INLINE Packet<Scalar> packet_exp(Packet<Scalar> const& x) {
  if constexpr (Eigen::internal::packet_traits<Scalar>::HasExp) {
    return Eigen::internal::pexp(x);
  } else {
    std::array<Scalar, static_cast<std::size_t>(packet_size<Scalar>)> values;
    Eigen::internal::pstoreu(values.data(), x);
    for (Scalar& value : values) value = std::exp(value);
    return Eigen::internal::ploadu<Packet<Scalar>>(values.data());
  }
}

/// score = scale · score + bias for the `seen` keys (bias null: none; readable up to whole registers), −∞ up to the register's end.
/// Returns the greatest of them and of `greatest`, by lanes.
template <class Scalar>
Packet<Scalar> scale_scores(Scalar* score, Index seen, Scalar scale, Scalar const* bias, Packet<Scalar> greatest) {
  namespace simd = Eigen::internal;
  auto const factor = simd::pset1<Packet<Scalar>>(scale);
  for (Index j = 0; j < seen; j += packet_size<Scalar>) {
    auto value = simd::pmul(simd::ploadu<Packet<Scalar>>(score + j), factor);
    if (bias) value = simd::padd(value, simd::ploadu<Packet<Scalar>>(bias + j));
    if (seen - j < packet_size<Scalar>) value = simd::padd(value, hide<Scalar>.first(seen - j));
    simd::pstoreu(score + j, value);
    greatest = simd::pmax(greatest, value);
  }
  return greatest;
}

/// score = exp(score − shift) for the `seen` keys and 0 up to `width`; returns their sum added to `sum`, by lanes.
template <class Scalar>
Packet<Scalar> exponentiate(Scalar* score, Index seen, Index width, Scalar shift, Packet<Scalar> sum) {
  namespace simd = Eigen::internal;
  auto const shifts = simd::pset1<Packet<Scalar>>(shift);
  Index j = 0;
  for (; j < seen; j += packet_size<Scalar>) {
    auto value = packet_exp<Scalar>(simd::psub(simd::ploadu<Packet<Scalar>>(score + j), shifts));
    if (seen - j < packet_size<Scalar>) value = simd::pmul(value, keep<Scalar>.first(seen - j));
    simd::pstoreu(score + j, value);
    sum = simd::padd(sum, value);
  }
  for (; j < width; j += packet_size<Scalar>) simd::pstoreu(score + j, simd::pset1<Packet<Scalar>>(Scalar(0)));
  return sum;
}

/// ds = scale · p∘(ds − delta) for the `seen` keys and 0 up to `width`; p∘(ds − delta) is added to `bias_gradient` (null: not wanted).
template <class Scalar>
void score_gradient(Scalar const* p, Scalar* ds, Index seen, Index width, Scalar scale, Scalar delta, Scalar* bias_gradient) {
  namespace simd = Eigen::internal;
  auto const factor = simd::pset1<Packet<Scalar>>(scale), deltas = simd::pset1<Packet<Scalar>>(delta);
  Index j = 0;
  for (; j < seen; j += packet_size<Scalar>) {
    auto const value = simd::pmul(simd::ploadu<Packet<Scalar>>(p + j), simd::psub(simd::ploadu<Packet<Scalar>>(ds + j), deltas));
    if (bias_gradient) simd::pstoreu(bias_gradient + j, simd::padd(simd::ploadu<Packet<Scalar>>(bias_gradient + j), value));
    simd::pstoreu(ds + j, simd::pmul(value, factor));
  }
  for (; j < width; j += packet_size<Scalar>) simd::pstoreu(ds + j, simd::pset1<Packet<Scalar>>(Scalar(0)));
}

}  // namespace graft::kernels::cpu
