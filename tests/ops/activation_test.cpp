#include <graft/ops/activation.hpp>

#include <limits>

#include "ops/plain_activation.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::plain;
using testing::random;

template <class Scalar>
Tensor<Scalar> sweep() {
  Tensor<Scalar> x(Shape{80001});
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(-20 + 5e-4 * static_cast<double>(i));
  return x;
}

TEST(Activation, ValuesMatchTheFormulas) {
  auto const in_double = sweep<double>();
  auto const in_float = sweep<float>();
  for (Activation const f : testing::all_activations) {
    auto const y = activate(Variable<double>(in_double), f).value();
    auto const z = activate(Variable<float>(in_float), f).value();
    for (Index i = 0; i < y.size(); ++i) {
      double const x = in_double.data()[i], x_float = static_cast<double>(in_float.data()[i]);
      ASSERT_NEAR(y.data()[i], plain(f, x), 1e-14 * std::max(1.0, std::abs(x))) << static_cast<int>(f) << " at " << x;
      double const wanted = plain(f, x_float),
                   unit = f == Activation::gelu ? std::max(1.0, std::abs(x_float)) : std::abs(wanted);
      double const tolerance = f == Activation::gelu_tanh ? 4e-6 : 1e-6;  // e^-2u magnifies the rounding of u
      ASSERT_NEAR(static_cast<double>(z.data()[i]), wanted, tolerance * unit + 1e-12)
          << static_cast<int>(f) << " at " << x_float;
    }
  }
}

TEST(Activation, FarOutAndNotANumber) {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  Tensor<float> const x = tensor_of<float>({5}, std::vector<float>{-1e4F, 1e4F, nan, 0.F, 3e38F});
  for (Activation const f : testing::all_activations) {
    auto const y = activate(Variable<float>(x), f).value();
    bool const bounded = f == Activation::tanh;
    EXPECT_NEAR(y.data()[0], bounded ? -1.F : 0.F, 1e-30F);
    EXPECT_EQ(y.data()[1], bounded ? 1.F : 1e4F);
    EXPECT_TRUE(std::isnan(y.data()[2])) << static_cast<int>(f);
    EXPECT_EQ(y.data()[3], 0.F);
    EXPECT_EQ(y.data()[4], bounded ? 1.F : 3e38F) << static_cast<int>(f);
  }
}

TEST(Activation, Gradients) {
  for (Activation const f : testing::all_activations) {
    auto x = leaf("x", {5, 7}, 3), up = leaf("up", {5, 7}, 4);
    auto report = gradcheck([&] { return activate(x.variable(), f); }, {x});
    EXPECT_TRUE(report.passed) << static_cast<int>(f) << report.message;
    report = gradcheck([&] { return gated(x.variable(), up.variable(), f); }, {x, up});
    EXPECT_TRUE(report.passed) << static_cast<int>(f) << report.message;
    report = gradcheck([&] { return gated(x.variable(), Variable<double>(up.value()), f); }, {x});
    EXPECT_TRUE(report.passed) << static_cast<int>(f) << report.message;
    report = gradcheck([&] { return gated(Variable<double>(x.value()), up.variable(), f); }, {up});
    EXPECT_TRUE(report.passed) << static_cast<int>(f) << report.message;
  }
  auto x = leaf("x", {5, 7}, 3);
  auto const chained = gradcheck([&] { return tanh(gelu(relu(silu(gelu_tanh(x.variable()))))); }, {x});
  EXPECT_TRUE(chained.passed) << chained.message;
}

TEST(Activation, ConstantsRecordNothing) {
  std::size_t const before = Tape::current().size();
  Variable<double> const x(random({3, 3}, 1));
  EXPECT_FALSE(gelu(x).tracked());
  EXPECT_FALSE(gated(x, x, Activation::silu).tracked());
  EXPECT_EQ(Tape::current().size(), before);
}

TEST(Activation, PrecisionAndThreads) {
  for (Activation const f : testing::all_activations)
    testing::expect_precise_and_independent_of_threads(
        [f](auto zero) {
          using Scalar = decltype(zero);
          auto gate = leaf<Scalar>("gate", {301, 203}, 5), up = leaf<Scalar>("up", {301, 203}, 6);
          auto const y = activate(gated(gate.variable(), up.variable(), f), f);
          testing::backward_from(y);
          return std::vector<Tensor<Scalar>>{y.value(), gate.gradient(), up.gradient()};
        },
        3e-6);
}

TEST(Activation, NamesAndErrors) {
  EXPECT_EQ(activation_from_name("gelu"), Activation::gelu);
  EXPECT_EQ(activation_from_name("gelu_new"), Activation::gelu_tanh);
  EXPECT_EQ(activation_from_name("gelu_pytorch_tanh"), Activation::gelu_tanh);
  EXPECT_EQ(activation_from_name("silu"), Activation::silu);
  EXPECT_EQ(activation_from_name("swish"), Activation::silu);
  EXPECT_EQ(activation_from_name("relu"), Activation::relu);
  EXPECT_EQ(activation_from_name("tanh"), Activation::tanh);
  EXPECT_NE(message_of<ConfigError>([] { (void)activation_from_name("gelou"); }).find("got the name \"gelou\""),
            std::string::npos);
  Variable<double> const a(random({2, 3}, 1)), b(random({3, 2}, 1));
  EXPECT_NE(
      message_of<ShapeError>([&] { (void)gated(a, b, Activation::silu); }).find("[2, 3] and values of shape [3, 2]"),
      std::string::npos);
}

}  // namespace
}  // namespace graft
