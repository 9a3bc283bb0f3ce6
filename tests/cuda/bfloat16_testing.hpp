// What the tests of bfloat16 on a GPU share: numbers, and how far results may lie from the host's and from float64's.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "device_testing.hpp"

namespace graft::testing {

/// Numbers of bfloat16, the same for a name wherever they are used.
inline Tensor<bfloat16> narrow(char const* name, Shape const& shape, double deviation = 1.0) {
  return cast<bfloat16>(normal<float>(shape, RandomKey(51).with(name), deviation));
}
/// The same numbers as another type.
template <class To>
Tensor<To> as(Tensor<bfloat16> const& x) {
  if constexpr (std::is_same_v<To, bfloat16>)
    return clone(x);
  else
    return cast<To>(cast<float>(x));
}
template <class To>
Tensor<To> as(Tensor<float> const& x) {
  return cast<To>(x);
}

/// How many numbers of the format lie between two: 0 for equal ones, which NaNs count as.
inline int steps_between(bfloat16 a, bfloat16 b) {
  float const x = static_cast<float>(a), y = static_cast<float>(b);
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) == std::isnan(y) ? 0 : 1 << 20;
  auto const place = [](bfloat16 v) { return v.bits & 0x8000 ? -(v.bits & 0x7fff) : static_cast<int>(v.bits); };
  return std::abs(place(a) - place(b));
}

/// A result of the device: at most one step from the host's, nearly everywhere the same bits, and within one rounding
/// of float64's. Results are sums of numbers about as large as `terms`: what is small against these is float32's error.
inline void expect_rounded(Tensor<bfloat16> const& got, Tensor<bfloat16> const& host, Tensor<double> const& reference,
                           std::string const& what, double terms = 1) {
  ASSERT_EQ(got.shape(), host.shape()) << what;
  ASSERT_EQ(got.shape(), reference.shape()) << what;
  Index different = 0;
  int farthest = 0;
  for (Index i = 0; i < got.size(); ++i) {
    float const value = static_cast<float>(got.data()[i]);
    if (!(std::abs(value - static_cast<float>(host.data()[i])) <= 1e-6 * terms)) {
      int const steps = steps_between(got.data()[i], host.data()[i]);
      different += steps > 0;
      farthest = std::max(farthest, steps);
    }
    double const wanted = reference.data()[i], error = std::abs(value - wanted);
    if (std::isnan(wanted) || std::isinf(wanted)) continue;
    ASSERT_LE(error, 0x1.01p-8 * std::abs(wanted) + 1e-6 * terms) << what << ", element " << i << " of " << got.size();
  }
  EXPECT_LE(farthest, 1) << what << ", against the host";
  EXPECT_LE(100 * different, got.size()) << what << ": how many of " << got.size() << " are not the host's bits";
}

/// Float32 results: sums, and gradients of parameters.
template <class Reference>
void expect_sums(Tensor<float> const& got, Tensor<Reference> const& reference, double tolerance,
                 std::string const& what) {
  ASSERT_EQ(got.shape(), reference.shape()) << what;
  EXPECT_LE(relative_difference(cast<double>(got), cast<double>(reference)), tolerance) << what;
}

}  // namespace graft::testing
