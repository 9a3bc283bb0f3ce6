// What the tests on a GPU share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <graft/core/random.hpp>
#include <graft/tensor/device_copy.hpp>

namespace graft::testing {

/// Skips where there is no GPU.
class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string const why = cuda_unavailable();
    if (!why.empty()) GTEST_SKIP() << why;
  }
};

template <class Scalar>
inline constexpr double tolerance = std::is_same_v<Scalar, float> ? 1e-5 : 1e-12;

/// max|difference| / max|reference|; infinite where a result is no number and the reference is one.
template <class Scalar>
double relative_difference(Tensor<Scalar> const& result, Tensor<Scalar> const& reference) {
  double difference = 0, largest = 0;
  for (Index i = 0; i < reference.size(); ++i) {
    double const got = static_cast<double>(result.data()[i]), expected = static_cast<double>(reference.data()[i]);
    if (std::isnan(got) != std::isnan(expected)) return HUGE_VAL;
    if (!std::isnan(expected)) difference = std::max(difference, std::abs(got - expected));
    if (!std::isnan(expected)) largest = std::max(largest, std::abs(expected));
  }
  return difference == 0 ? 0 : difference / std::max(largest, 1e-300);
}

/// Calls `f(logits)` for logits [2, 300] whose last row has a NaN, +∞, or nothing but −∞.
template <class Scalar, class F>
void with_broken_logits(F const& f) {
  for (double const broken : {static_cast<double>(NAN), HUGE_VAL, -HUGE_VAL}) {
    SCOPED_TRACE(broken);
    Tensor<Scalar> logits = zeros<Scalar>({2, 300});
    if (broken < 0)
      std::fill_n(logits.row(1), 300, static_cast<Scalar>(broken));
    else
      logits.row(1)[270] = static_cast<Scalar>(broken);
    f(logits);
  }
}

template <class Scalar>
void expect_close(Tensor<Scalar, Cuda> const& result, Tensor<Scalar> const& reference, char const* what) {
  ASSERT_EQ(result.shape(), reference.shape()) << what;
  EXPECT_LE(relative_difference(to_device<Cpu>(result), reference), tolerance<Scalar>)
      << what << ", shape " << ::testing::PrintToString(reference.size());
}

}  // namespace graft::testing
