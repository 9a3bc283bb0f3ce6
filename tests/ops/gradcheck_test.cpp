#include "ops/op_testing.hpp"

#include <graft/kernels/elementwise.hpp>
#include <graft/ops/residual.hpp>

namespace graft {
namespace {

using testing::leaf;

/// y = x ∘ x whose reverse pass is off by `error` at element `at`.
Variable<double> square(Variable<double> const& x, double error, Index at) {
  Tensor<double> y(x.shape());
  kernels::multiply(Cpu{}, x.value().data(), x.value().data(), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(y, [x, error, at](Tensor<double> const& dy) {
    Tensor<double> dx(dy.shape());
    for (Index i = 0; i < dx.size(); ++i) dx.data()[i] = dy.data()[i] * (2 * x.value().data()[i] + (i == at ? error : 0));
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
