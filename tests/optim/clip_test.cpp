#include <gtest/gtest.h>

#include <cmath>
#include <graft/core/thread_pool.hpp>
#include <graft/optim/clip.hpp>
#include <limits>
#include <vector>

namespace {

using graft::Parameter;
using graft::Shape;

template <class Scalar>
Parameter<Scalar> with_gradient(char const* name, graft::Tensor<Scalar> gradient) {
  Parameter<Scalar> parameter(name, graft::zeros<Scalar>(gradient.shape()));
  parameter.variable().slot()->accumulate(std::move(gradient));
  return parameter;
}

TEST(Clip, NormIsThatOfALongSumAndOfNoThreadCount) {
  for (graft::Index size : {0, 1, 7, 8, 16383, 16384, 16385, 100003}) {
    auto parameter = with_gradient("g", graft::normal<float>(Shape{size}, graft::RandomKey(3)));
    long double sum = 0;
    for (graft::Index i = 0; i < size; ++i)
      sum += static_cast<long double>(parameter.gradient().data()[i]) * parameter.gradient().data()[i];
    std::vector<double> norms;
    for (int threads : {1, 2, 3}) {
      graft::ThreadPool::global().resize(threads);
      norms.push_back(graft::gradient_norm<float, graft::Cpu>({&parameter}));
    }
    EXPECT_NEAR(norms[0], static_cast<double>(std::sqrt(sum)), 1e-12 * norms[0]);
    EXPECT_EQ(norms[0], norms[1]);
    EXPECT_EQ(norms[0], norms[2]);
  }
  graft::ThreadPool::global().resize(2);
}

TEST(Clip, SmallGradientsAndNoLimitLeaveEverything) {
  auto parameter = with_gradient("g", graft::tensor_of<double>(Shape{2}, std::vector<double>{0.3, -0.4}));
  EXPECT_DOUBLE_EQ((graft::clip_gradient_norm<double, graft::Cpu>({&parameter}, 1.0)), 0.5);
  EXPECT_EQ(parameter.gradient().data()[1], -0.4);
  EXPECT_DOUBLE_EQ((graft::clip_gradient_norm<double, graft::Cpu>({&parameter}, 0.0)), 0.5);
  EXPECT_EQ(parameter.gradient().data()[1], -0.4);
}

TEST(Clip, SharedGradientIsScaledOnceForEach) {
  auto const shared = graft::tensor_of<double>(Shape{2}, std::vector<double>{3.0, 4.0});
  auto a = with_gradient("a", shared), b = with_gradient("b", shared);
  double const norm = graft::clip_gradient_norm<double, graft::Cpu>({&a, &b}, 1.0);
  EXPECT_DOUBLE_EQ(norm, std::sqrt(50.0));
  EXPECT_DOUBLE_EQ(a.gradient().data()[0], 3.0 / (norm + 1e-6));
  EXPECT_DOUBLE_EQ(b.gradient().data()[0], 3.0 / (norm + 1e-6));
  EXPECT_EQ(shared.data()[0], 3.0);
}

TEST(Clip, NotANumberIsSeen) {
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    auto parameter = with_gradient("g", graft::tensor_of<double>(Shape{3}, std::vector<double>{1.0, bad, 1.0}));
    EXPECT_FALSE(std::isfinite(graft::gradient_norm<double, graft::Cpu>({&parameter})));
  }
}

}  // namespace
