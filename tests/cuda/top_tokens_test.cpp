// The most probable tokens, as the device finds them, are those that sorting all logits gives.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <graft/generate/top_tokens.hpp>

#include "device_testing.hpp"

namespace {

using namespace graft;

template <class Scalar>
class CudaTopTokens : public graft::testing::DeviceTest {
 protected:
  static constexpr Scalar none = -std::numeric_limits<Scalar>::infinity();

  /// Of a row, by sorting it; of equal logits the lower token comes first.
  static std::vector<Token> sorted(Scalar const* row, Index vocabulary) {
    std::vector<Token> tokens(static_cast<std::size_t>(vocabulary));
    std::iota(tokens.begin(), tokens.end(), 0);
    std::stable_sort(tokens.begin(), tokens.end(), [&](Token a, Token b) { return row[a] > row[b]; });
    return tokens;
  }
  template <class Device>
  static void expect_sorted(Tensor<Scalar> const& logits, Index count) {
    TopTokens<Scalar> const top(to_device<Device>(logits), count);
    ASSERT_EQ(top.rows(), logits.rows());
    for (Index row = 0; row < logits.rows(); ++row) {
      Scalar const* const z = logits.row(row);
      auto const tokens = sorted(z, logits.width());
      double sum = 0;
      for (Index v = 0; v < logits.width(); ++v) sum += std::exp(static_cast<double>(z[v]));
      EXPECT_NEAR(top.log_sum(row), std::log(sum), 1e-5 * (1 + std::abs(std::log(sum))));
      for (Index n = 0; n < count; ++n) {
        bool const is_there = n < logits.width() && z[tokens[static_cast<std::size_t>(n)]] > none;
        EXPECT_EQ(top.token(row, n), is_there ? tokens[static_cast<std::size_t>(n)] : -1) << row << ", " << n;
        EXPECT_EQ(top.logit(row, n), is_there ? z[top.token(row, n)] : none);
      }
    }
  }
  static void expect_sorted(Tensor<Scalar> const& logits, Index count) {
    expect_sorted<Cuda>(logits, count);
    expect_sorted<Cpu>(logits, count);
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaTopTokens, Scalars);

TYPED_TEST(CudaTopTokens, AreTheFirstOfAllSorted) {
  for (Index const vocabulary : {1, 7, 255, 256, 257, 1000})
    this->expect_sorted(cast<TypeParam>(normal<double>({3, vocabulary}, RandomKey(3).with("logits"), 4.0)), 5);
}

TYPED_TEST(CudaTopTokens, OfEqualLogitsAreTheLowerOnes) {
  Tensor<TypeParam> logits = zeros<TypeParam>({2, 600});
  for (Index v = 0; v < 600; ++v) logits.row(1)[v] = static_cast<TypeParam>(v % 3);
  this->expect_sorted(logits, 12);
}

TYPED_TEST(CudaTopTokens, AreNoneThatAreImpossible) {
  Tensor<TypeParam> logits = full<TypeParam>({2, 300}, CudaTopTokens<TypeParam>::none);
  logits.row(0)[299] = -3, logits.row(1)[5] = 2, logits.row(1)[4] = 2;
  this->expect_sorted(logits, 4);
}

TYPED_TEST(CudaTopTokens, AreRefusedWhereLogitsAreNoNumbers) {
  graft::testing::with_broken_logits<TypeParam>([](Tensor<TypeParam> const& logits) {
    EXPECT_THROW(TopTokens<TypeParam>(to_device<Cuda>(logits), 2), NumericError);
    EXPECT_THROW(TopTokens<TypeParam>(logits, 2), NumericError);
  });
}

}  // namespace
