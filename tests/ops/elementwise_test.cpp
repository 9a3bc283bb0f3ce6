#include <graft/ops/bias.hpp>
#include <graft/ops/elementary.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/sum.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

TEST(Elementwise, ValuesMatchTheFormulas) {
  auto const a = random({3, 5}, 1), b = random({3, 5}, 2), bias = random({5}, 3);
  Variable<double> const x(a), y(b);
  auto const added = add(x, y).value(), scaled = scale(x, -2.5).value(), product = multiply(x, y).value(),
             shifted = add_bias(x, bias).value();
  double total = 0, weighted = 0, squares = 0;
  for (Index i = 0; i < 15; ++i) {
    double const u = a.data()[i], v = b.data()[i];
    EXPECT_EQ(added.data()[i], u + v);
    EXPECT_EQ(scaled.data()[i], -2.5 * u);
    EXPECT_EQ(product.data()[i], u * v);
    EXPECT_EQ(shifted.data()[i], u + bias.data()[i % 5]);
    total += u;
    weighted += u * v;
    squares += (u - v) * (u - v) / 15;
  }
  EXPECT_NEAR(sum(x).value().data()[0], total, 1e-13);
  EXPECT_NEAR(weighted_sum(x, b).value().data()[0], weighted, 1e-13);
  EXPECT_NEAR(mean_squared_error(x, b).value().data()[0], squares, 1e-13);
  EXPECT_EQ(sum(x).shape(), Shape{});
}

TEST(Elementwise, Gradients) {
  auto a = leaf("a", {4, 6}, 1), b = leaf("b", {4, 6}, 2), bias = leaf("bias", {6}, 3);
  auto const x = a.variable(), y = b.variable();
  Variable<double> const constant(b.value());
  auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
  expect(gradcheck([&] { return add(x, y); }, {a, b}));
  expect(gradcheck([&] { return add(x, constant); }, {a}));
  expect(gradcheck([&] { return add(x, x); }, {a}));
  expect(gradcheck([&] { return scale(x, 0.3); }, {a}));
  expect(gradcheck([&] { return multiply(x, y); }, {a, b}));
  expect(gradcheck([&] { return multiply(x, x); }, {a}));
  expect(gradcheck([&] { return multiply(constant, x); }, {a}));
  expect(gradcheck([&] { return multiply(x, constant); }, {a}));
  expect(gradcheck([&] { return add_bias(x, bias.variable()); }, {a, bias}));
  expect(gradcheck([&] { return add_bias(x, bias.value()); }, {a}));
  expect(gradcheck([&] { return add_bias(constant, bias.variable()); }, {bias}));
  expect(gradcheck([&] { return sum(multiply(x, x)); }, {a}));
  expect(gradcheck([&] { return weighted_sum(multiply(x, x), b.value()); }, {a}));
  expect(gradcheck([&] { return mean_squared_error(x, b.value()); }, {a}));
}

TEST(Elementary, ValuesAndGradients) {
  auto x = leaf("x", {4, 6}, 1),
       positive = Parameter<double>("positive", uniform<double>({4, 6}, RandomKey(2), 0.3, 3));
  auto const v = [](Parameter<double> const& p) { return p.variable(); };
  auto const e = exp(v(x)).value(), ln = log(v(positive)).value(), root = power(v(positive), -0.5).value();
  for (Index i = 0; i < 24; ++i) {
    EXPECT_EQ(e.data()[i], std::exp(x.value().data()[i]));
    EXPECT_EQ(ln.data()[i], std::log(positive.value().data()[i]));
    EXPECT_NEAR(root.data()[i], 1 / std::sqrt(positive.value().data()[i]), 1e-15);
  }
  EXPECT_EQ(reshape(v(x), {2, 12}).shape(), (Shape{2, 12}));
  EXPECT_EQ(reshape(v(x), {24}).value().data()[17], x.value().row(2)[5]);
  auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
  expect(gradcheck([&] { return exp(v(x)); }, {x}));
  expect(gradcheck([&] { return log(v(positive)); }, {positive}));
  for (double const p : {-1.0, -0.5, 2.0}) expect(gradcheck([&] { return power(v(positive), p); }, {positive}));
  expect(gradcheck([&] { return multiply(reshape(v(x), {8, 3}), reshape(v(positive), {8, 3})); }, {x, positive}));
  auto const shared = [&] {  // a gradient that two records hold is not overwritten
    auto const y = exp(v(x));
    return add(multiply(y, log(v(positive))), add(power(y, -1), add(y, reshape(y, y.shape()))));
  };
  expect(gradcheck(shared, {x, positive}));
}

TEST(Elementary, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {1031, 150}, 1);
    auto const y = log(add(exp(x.variable()), power(exp(scale(x.variable(), 0.1)), 1.5)));
    testing::backward_from(y);
    return std::vector<Tensor<Scalar>>{y.value(), x.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 2e-6);
}

TEST(Elementwise,
     SharedGradientsAreNotOverwritten) {  // reverse passes recycle storage: x's gradient passes through several of them
  auto a = leaf("a", {4, 6}, 1), b = leaf("b", {4, 6}, 2);
  auto const f = [&] {
    auto const x = a.variable();
    auto const hidden = add(scale(x, 2.0), b.variable());
    return add(multiply(hidden, add(x, hidden)), add(scale(hidden, 0.5), b.variable()));
  };
  auto const report = gradcheck(f, {a, b});
  EXPECT_TRUE(report.passed) << report.message;
}

TEST(Elementwise, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {1031, 150}, 1), b = leaf<Scalar>("bias", {150}, 2),
         z = leaf<Scalar>("z", {1031, 150}, 3);
    auto const y = multiply(add_bias(x.variable(), b.variable()), add(scale(z.variable(), 0.7), x.variable()));
    auto const loss = add(mean_squared_error(y, random<Scalar>({1031, 150}, 9)), scale(sum(multiply(y, y)), 1e-5));
    backward(loss);
    return std::vector<Tensor<Scalar>>{y.value(), loss.value(), x.gradient(), b.gradient(), z.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-5);
}

TEST(Elementwise,
     SumsAreAccurate) {  // 0.1 is not a binary fraction: adding a million of them one by one drifts by 1e-2 relative
  EXPECT_NEAR(sum(Variable<float>(full({1000003}, 0.1F))).value().data()[0], 100000.3, 0.1);
  EXPECT_EQ(sum(Variable<float>(Tensor<float>(Shape{0}))).value().data()[0], 0.F);
}

TEST(Elementwise, Errors) {
  Variable<double> const a(random({2, 3}, 1)), b(random({3, 2}, 1));
  EXPECT_NE(message_of<ShapeError>([&] { (void)add(a, b); }).find("[add] got shapes [2, 3] and [3, 2]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)multiply(a, b); }).find("[multiply]"), std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)add_bias(a, random({2}, 1)); }).find("a bias of shape [2]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)weighted_sum(a, random({5}, 1)); }).find("weights of shape [5]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)mean_squared_error(a, b.value()); }).find("a target of shape [3, 2]"),
            std::string::npos);
}

}  // namespace
}  // namespace graft
