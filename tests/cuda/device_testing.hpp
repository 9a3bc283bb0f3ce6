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

template <class Scalar>
void expect_close(Tensor<Scalar, Cuda> const& result, Tensor<Scalar> const& reference, char const* what) {
  ASSERT_EQ(result.shape(), reference.shape()) << what;
  EXPECT_LE(relative_difference(to_device<Cpu>(result), reference), tolerance<Scalar>)
      << what << ", shape " << ::testing::PrintToString(reference.size());
}

}  // namespace graft::testing
