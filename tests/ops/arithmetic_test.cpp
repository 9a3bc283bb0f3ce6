// Differences, quotients, the logistic function, means, sums along rows, products of two matrices, and what is
// detached.
#include <graft/autograd/detach.hpp>
#include <graft/autograd/recompute.hpp>
#include <graft/ops/arithmetic.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/sum.hpp>

#include <limits>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

void expect(GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; }
/// Numbers from 0.3 to 3.
Parameter<double> positive(char const* name, Shape const& shape) {
  return {name, uniform<double>(shape, RandomKey(2).with(name), 0.3, 3)};
}

TEST(Arithmetic, ValuesMatchTheFormulas) {
  auto const a = random({3, 5}, 1), b = random({3, 5}, 2);
  Variable<double> const x(a), y(b);
  auto const difference = subtract(x, y).value(), quotient = divide(x, y).value(), logistic = sigmoid(x).value(),
             sums = row_sums(x).value();
  double total = 0;
  for (Index i = 0; i < 15; ++i) {
    double const u = a.data()[i], v = b.data()[i];
    EXPECT_EQ(difference.data()[i], u - v);
    EXPECT_EQ(quotient.data()[i], u / v);
    EXPECT_NEAR(logistic.data()[i], 1 / (1 + std::exp(-u)), 1e-15);
    total += u;
  }
  EXPECT_EQ(mean(x).shape(), Shape{});
  EXPECT_NEAR(mean(x).value().data()[0], total / 15, 1e-15);
  EXPECT_EQ(sums.shape(), Shape{3});
  for (Index i = 0; i < 3; ++i) {
    double row = 0;
    for (Index j = 0; j < 5; ++j) row += a.row(i)[j];
    EXPECT_NEAR(sums.data()[i], row, 1e-14);
  }
}

TEST(Arithmetic, Gradients) {
  auto a = leaf("a", {4, 6}, 1), b = leaf("b", {4, 6}, 2), divisor = positive("divisor", {4, 6});
  auto const x = a.variable(), y = b.variable(), d = divisor.variable();
  Variable<double> const fixed(b.value()), fixed_divisor(divisor.value());
  expect(gradcheck([&] { return subtract(x, y); }, {a, b}));
  expect(gradcheck([&] { return subtract(x, fixed); }, {a}));
  expect(gradcheck([&] { return subtract(fixed, x); }, {a}));
  expect(gradcheck([&] { return multiply(subtract(x, x), y); }, {a, b}));
  expect(gradcheck([&] { return divide(x, d); }, {a, divisor}));
  expect(gradcheck([&] { return divide(x, fixed_divisor); }, {a}));
  expect(gradcheck([&] { return divide(fixed, d); }, {divisor}));
  expect(gradcheck([&] { return divide(multiply(d, d), d); }, {divisor}));
  expect(gradcheck([&] { return sigmoid(x); }, {a}));
  expect(gradcheck([&] { return mean(multiply(x, x)); }, {a}));
  expect(gradcheck([&] { return row_sums(multiply(x, y)); }, {a, b}));
  auto const shared = [&] {  // a gradient that two records hold is not overwritten
    auto const s = sigmoid(x), difference = subtract(s, y), ratio = divide(difference, d);
    return add(multiply(ratio, difference), add(s, subtract(ratio, sigmoid(difference))));
  };
  expect(gradcheck(shared, {a, b, divisor}));
}

TEST(Arithmetic, FarOutAndNotANumber) {
  float const nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  auto const x = tensor_of<float>({5}, std::vector<float>{-1e4F, 1e4F, nan, infinity, -infinity});
  auto const y = sigmoid(Variable<float>(x)).value();
  EXPECT_NEAR(y.data()[0], 0.F, 1e-37F);
  EXPECT_EQ(y.data()[1], 1.F);
  EXPECT_TRUE(std::isnan(y.data()[2]));
  EXPECT_EQ(y.data()[3], 1.F);
  EXPECT_NEAR(y.data()[4], 0.F, 1e-37F);
  auto const by_zero = divide(Variable<float>(full({2}, 1.F)), Variable<float>(full({2}, 0.F))).value();
  EXPECT_EQ(by_zero.data()[1], infinity);
}

TEST(Arithmetic, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {1031, 150}, 1), z = leaf<Scalar>("z", {1031, 150}, 2, 9);
    auto const y = sigmoid(subtract(divide(x.variable(), z.variable()), z.variable()));
    testing::backward_from(add(reshape(row_sums(y), Shape{1031}), row_sums(multiply(x.variable(), x.variable()))));
    return std::vector<Tensor<Scalar>>{y.value(), x.gradient(), z.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 5e-6);
}

TEST(Matmul, IsTheProductOfTwoVariables) {
  auto a = leaf("a", {4, 3}, 1), b = leaf("b", {3, 5}, 2);
  auto const y = matmul(a.variable(), b.variable()).value();
  ASSERT_EQ(y.shape(), (Shape{4, 5}));
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 5; ++j) {
      double sum = 0;
      for (Index k = 0; k < 3; ++k) sum += a.value().row(i)[k] * b.value().row(k)[j];
      EXPECT_NEAR(y.row(i)[j], sum, 1e-14);
    }
  expect(gradcheck([&] { return matmul(a.variable(), b.variable()); }, {a, b}));
  expect(gradcheck([&] { return matmul(a.variable(), Variable<double>(b.value())); }, {a}));
  expect(gradcheck([&] { return matmul(Variable<double>(a.value()), b.variable()); }, {b}));
  auto square = leaf("square", {3, 3}, 3);
  expect(gradcheck([&] { return matmul(square.variable(), square.variable()); }, {square}));
}

TEST(Detach, PassesNoGradientOn) {
  auto a = leaf("a", {2, 3}, 1), b = leaf("b", {2, 3}, 2);
  auto const constant = detach(multiply(a.variable(), a.variable()));
  EXPECT_FALSE(constant.tracked());
  EXPECT_EQ(detach(a.variable()).value().data(), a.value().data()) << "no copy";
  backward(sum(multiply(multiply(constant, a.variable()), b.variable())));
  for (Index i = 0; i < 6; ++i) {
    double const x = a.value().data()[i], y = b.value().data()[i];
    EXPECT_NEAR(a.gradient().data()[i], x * x * y, 1e-14) << "not 3·x²·y";
    EXPECT_NEAR(b.gradient().data()[i], x * x * x, 1e-14);
  }
}

TEST(Detach, IsAConstantForGradcheck) {
  auto a = leaf("a", {2, 3}, 1), b = leaf("b", {2, 3}, 2);
  auto const f = [&] {
    auto const square = multiply(a.variable(), a.variable());
    return multiply(add(multiply(detach(square), a.variable()), detach(a.variable())), multiply(b.variable(), square));
  };
  expect(gradcheck(f, {a, b}));
  // what a function keeps from its gradient in any other way is found, as before
  auto const hidden = [&] { return multiply(Variable<double>(clone(a.value())), a.variable()); };
  EXPECT_FALSE(gradcheck(hidden, {a}).passed);
  // and a gradient that is wrong beside a detached part, too
  auto const wrong = [&] {
    auto const y = multiply(detach(a.variable()), a.variable());
    return record(y.value(), [slot = y.slot()](Tensor<double> const& dy) {
      slot->accumulate(scale(Variable<double>(dy), 1.01).value());
    });
  };
  EXPECT_FALSE(gradcheck(wrong, {a}).passed);
}

TEST(Detach, IsAConstantForGradcheckWhereALayerIsComputedAgain) {
  auto a = leaf("a", {2, 3}, 1);
  auto const layer = [&](Variable<double> const& x, bool) { return multiply(detach(multiply(x, x)), sigmoid(x)); };
  expect(gradcheck([&] { return recompute(recompute(a.variable(), layer), layer); }, {a}));
}

TEST(Detach, SaysWhereAFunctionDetachesOtherThingsEveryTime) {
  auto a = leaf("a", {2, 3}, 1);
  Index calls = 0;
  auto const grows = [&] {
    Variable<double> y = a.variable();
    for (Index i = 0; i <= calls; ++i) y = multiply(y, detach(a.variable()));
    ++calls;
    return y;
  };
  EXPECT_NE(
      message_of<Error>([&] { (void)gradcheck(grows, {a}); }).find("[detach] a function whose gradient is checked"),
      std::string::npos);
}

TEST(Arithmetic, Errors) {
  Variable<double> const a(random({2, 3}, 1)), b(random({3, 2}, 1)), vector(random({3}, 1)),
      nothing(Tensor<double>(Shape{0, 3}));
  auto const said = [](auto const& f) { return message_of<ShapeError>(f); };
  EXPECT_EQ(said([&] { (void)subtract(a, b); }), "[subtract] got shapes [2, 3] and [3, 2]; expected equal shapes");
  EXPECT_EQ(said([&] { (void)divide(a, vector); }), "[divide] got shapes [2, 3] and [3]; expected equal shapes");
  EXPECT_EQ(said([&] { (void)mean(nothing); }), "[mean] got an input of shape [0, 3]; expected at least one element");
  EXPECT_EQ(said([&] { (void)row_sums(vector); }), "[row_sums] got an input of shape [3]; expected [rows, width]");
  EXPECT_EQ(said([&] { (void)matmul(a, a); }),
            "[matmul] got shapes [2, 3] and [2, 3]; expected [rows, inner] and [inner, columns]");
}

}  // namespace
}  // namespace graft
