// Softmax and its logarithm: against plain loops, compositions and central differences, and where numbers are extreme.
#include <graft/ops/composite/softmax.hpp>
#include <graft/ops/softmax.hpp>

#include <limits>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

TEST(Softmax, ValuesMatchTheFormulas) {
  for (Index width : {1, 5, 64, 200}) {
    auto const x = random({4, width}, 1);
    auto const p = softmax(Variable<double>(x)).value(), log_p = log_softmax(Variable<double>(x)).value();
    for (Index i = 0; i < 4; ++i) {
      double sum = 0, total = 0;
      for (Index j = 0; j < width; ++j) sum += std::exp(x.row(i)[j]);
      for (Index j = 0; j < width; ++j) {
        EXPECT_NEAR(p.row(i)[j], std::exp(x.row(i)[j]) / sum, 1e-15);
        EXPECT_NEAR(log_p.row(i)[j], x.row(i)[j] - std::log(sum), 1e-14);
        total += p.row(i)[j];
      }
      EXPECT_NEAR(total, 1, 1e-14);
    }
  }
}

TEST(Softmax, Gradients) {
  auto x = leaf("x", {4, 7}, 1);
  auto const v = x.variable();
  auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
  expect(gradcheck([&] { return softmax(v); }, {x}));
  expect(gradcheck([&] { return log_softmax(v); }, {x}));
  expect(gradcheck([&] { return softmax(log_softmax(scale(v, 2.0))); }, {x}));
  auto const shared = [&] {  // a gradient that two records hold is not overwritten
    auto const p = softmax(v), log_p = log_softmax(v);
    return add(multiply(p, log_p), add(p, log_p));
  };
  expect(gradcheck(shared, {x}));
}

TEST(Softmax, EqualsItsComposition) {
  auto x = leaf("x", {6, 9}, 1);
  testing::expect_same({&x}, [&] { return softmax(x.variable()); }, [&] { return composite::softmax(x.variable()); });
  testing::expect_same(
      {&x}, [&] { return log_softmax(x.variable()); }, [&] { return composite::log_softmax(x.variable()); });
}

TEST(Softmax, FarOutAndNotANumber) {
  float const infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  auto const rows = tensor_of<float>(
      {4, 3}, std::vector<float>{1e4F, 1e4F - 1, -1e4F, -infinity, 2, 2, nan, 0, 0, -infinity, -infinity, -infinity});
  auto const p = softmax(Variable<float>(rows)).value(), log_p = log_softmax(Variable<float>(rows)).value();
  EXPECT_NEAR(p.row(0)[0], 1 / (1 + std::exp(-1.F)), 1e-6F);
  EXPECT_EQ(p.row(0)[2], 0.F);
  EXPECT_NEAR(log_p.row(0)[2], -2e4F, 1.F) << "finite where the probability is 0";
  EXPECT_EQ(p.row(1)[0], 0.F) << "a masked element";
  EXPECT_EQ(p.row(1)[1], 0.5F);
  EXPECT_EQ(log_p.row(1)[0], -infinity);
  for (Index j = 0; j < 3; ++j) {
    EXPECT_TRUE(std::isnan(p.row(2)[j]) && std::isnan(log_p.row(2)[j])) << j;
    EXPECT_TRUE(std::isnan(p.row(3)[j]) && std::isnan(log_p.row(3)[j])) << "nothing to choose from";
  }
  auto x = Parameter<float>("x", tensor_of<float>({1, 3}, std::vector<float>{-infinity, 2, 1}));
  testing::backward_from(softmax(x.variable()));
  EXPECT_EQ(x.gradient().data()[0], 0.F);
  EXPECT_TRUE(std::isfinite(x.gradient().data()[1]));
}

TEST(Softmax, NothingInARow) {
  for (Shape const& shape : {Shape{0, 4}, Shape{3, 0}}) {
    auto x = leaf("x", shape, 1);
    EXPECT_EQ(softmax(x.variable()).shape(), shape);
    EXPECT_EQ(log_softmax(x.variable()).shape(), shape);
  }
}

TEST(Softmax, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {331, 500}, 1);
    auto const p = softmax(x.variable()), log_p = log_softmax(x.variable());
    testing::backward_from(add(p, log_p));
    return std::vector<Tensor<Scalar>>{p.value(), log_p.value(), x.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 2e-6);
}

TEST(Softmax, Errors) {
  Variable<double> const vector(random({3}, 1)), cube(random({2, 3, 4}, 1));
  EXPECT_EQ(message_of<ShapeError>([&] { (void)softmax(vector); }),
            "[softmax] got an input of shape [3]; expected [rows, width]; hint: reshape makes a matrix of it");
  EXPECT_EQ(
      message_of<ShapeError>([&] { (void)log_softmax(cube); }),
      "[log_softmax] got an input of shape [2, 3, 4]; expected [rows, width]; hint: reshape makes a matrix of it");
}

}  // namespace
}  // namespace graft
