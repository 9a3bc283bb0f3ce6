#include "ops/op_testing.hpp"

#include <graft/kernels/elementwise.hpp>
#include <graft/ops/residual.hpp>

namespace graft {
namespace {

using testing::leaf;

/// y = x ∘ x whose reverse pass is off by `error` at element `at`.
Variable<double> square(Variable<double> const& x, double error, Index at) {
  Tensor<double> y(x.shape());
  kernels::On<Cpu, kernels::Elementwise, double>::multiply(x.value().data(), x.value().data(), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(y, [x, error, at](Tensor<double> const& dy) {
    Tensor<double> dx(dy.shape());
    for (Index i = 0; i < dx.size(); ++i)
      dx.data()[i] = dy.data()[i] * (2 * x.value().data()[i] + (i == at ? error : 0));
    x.slot()->accumulate(dx);
  });
}

TEST(Gradcheck, AcceptsARightGradient) {
  auto x = leaf("x", {3, 4}, 1);
  auto const report = gradcheck([&] { return square(x.variable(), 0, 0); }, {x});
  EXPECT_TRUE(report.passed) << report.message;
  EXPECT_LE(report.error, 1e-8);
  EXPECT_FALSE(x.has_gradient());
}

TEST(Gradcheck, CatchesAWrongElementAndNamesIt) {
  auto x = leaf("x", {3, 4}, 1), bystander = leaf("bystander", {3, 4}, 2);
  auto const f = [](std::vector<Variable<double>> const& v) { return multiply(square(v[0], 1e-3, 7), v[1]); };
  auto const report = gradcheck(f, {x, bystander});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("input x at element 7"), std::string::npos) << report.message;
}

TEST(Gradcheck, CatchesAMissingGradientATinyErrorAndNaN) {
  auto x = leaf("x", {2, 2}, 1), y = leaf("y", {2, 2}, 2);
  auto const forgets_y = [&] { return add(square(x.variable(), 0, 0), Variable<double>(y.value())); };
  auto const report = gradcheck(forgets_y, {x, y});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("no gradient arrived"), std::string::npos) << report.message;
  EXPECT_FALSE(gradcheck([&] { return square(x.variable(), 2e-5, 2); }, {x}).passed);
  EXPECT_FALSE(gradcheck([&] { return square(x.variable(), NAN, 0); }, {x}).passed);
  EXPECT_FALSE(gradcheck([&] { return Variable<double>(x.value()); }, {x}).passed);
}

/// 1e3 + Σ weight_i · x_i, whose gradient is `weight` but for `error` at element 0; one rounding of the sum is 1.1e-13.
Variable<double> far_from_zero(Parameter<double> const& x, Tensor<double> const& weight, double error) {
  Variable<double> const value = x.variable();
  Tensor<double> y(Shape{1});
  y.data()[0] = 1e3;
  for (Index i = 0; i < weight.size(); ++i) y.data()[0] += weight.data()[i] * value.value().data()[i];
  if (!needs_gradient(value)) return y;
  return record(y, [value, weight, error](Tensor<double> const& dy) {
    Tensor<double> dx(weight.shape());
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] = dy.data()[0] * (weight.data()[i] + (i == 0 ? error : 0));
    value.slot()->accumulate(dx);
  });
}

TEST(Gradcheck, AllowsWhatTheRoundingOfTheFunctionDoesAndNoMore) {
  auto x = leaf("x", {5}, 1);
  Tensor<double> weight = testing::random({5}, 2);
  for (Index i = 0; i < weight.size(); ++i) weight.data()[i] *= 1e-3;
  auto const report = [&](double error) { return gradcheck([&] { return far_from_zero(x, weight, error); }, {x}); };
  EXPECT_TRUE(report(0).passed) << report(0).message;  // the differences are off by some 1e-13 / 1e-5
  EXPECT_FALSE(report(1e-5).passed) << "a hundredth of the largest gradient";
}

TEST(Gradcheck, CatchesAWrongGradientThatIsSmallBesideOthers) {
  auto small = leaf("small", {4}, 1), large = leaf("large", {4}, 2);
  auto const f = [&](double error) {
    return [&, error] { return add(scale(square(small.variable(), error, 1), 1e-6), square(large.variable(), 0, 0)); };
  };
  EXPECT_TRUE(gradcheck(f(0), {small, large}).passed);
  auto const report = gradcheck(f(0.01), {small, large});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("input small at element 1"), std::string::npos) << report.message;
}

TEST(Gradcheck, ResultsThatDoNotChangeAddNoRounding) {
  auto x = leaf("x", {6}, 1);
  x.mutable_value().data()[5] = 1e6;
  EXPECT_TRUE(gradcheck([&] { return square(x.variable(), 0, 0); }, {x}).passed);
  auto const wrong = gradcheck([&] { return square(x.variable(), 3, 1); }, {x});
  EXPECT_FALSE(wrong.passed) << "beside a gradient of 2e6";
}

TEST(Gradcheck, LeavesWhatWasRecordedBefore) {
  auto x = leaf("x", {2}, 3);
  auto const outer = sum(square(x.variable(), 0, 0));
  auto other = leaf("other", {2}, 4);
  EXPECT_TRUE(gradcheck([&] { return square(other.variable(), 0, 0); }, {other}).passed);
  backward(outer);
  EXPECT_DOUBLE_EQ(x.gradient().data()[0], 2 * x.value().data()[0]);
}

}  // namespace
}  // namespace graft
