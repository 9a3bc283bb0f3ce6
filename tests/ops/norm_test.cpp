#include <cmath>
#include <graft/ops/composite/norm.hpp>
#include <graft/ops/norm.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::expect_same;
using testing::leaf;
using testing::message_of;
using testing::random;

TEST(Norm, EqualsItsComposition) {
  for (Index const width : {1, 5, 64, 131}) {
    auto x = leaf("x", {4, width}, 1, 3.0), gain = leaf("gain", {width}, 2), bias = leaf("bias", {width}, 3);
    auto const v = [](Parameter<double> const& p) { return p.variable(); };
    Variable<double> const none;
    // One number is its own mean: its gradient is the difference of terms of the size of 1/√ε, or 1/|x|.
    double const terms = width == 1 ? 1 / std::sqrt(1e-5) : 1e-3;
    expect_same(
        {&x, &gain, &bias}, [&] { return layer_norm(v(x), v(gain), v(bias), 1e-5); },
        [&] { return composite::layer_norm(v(x), v(gain), v(bias), 1e-5); }, 1e-12, terms);
    expect_same(
        {&x}, [&] { return layer_norm(v(x), none, none, 1e-5); },
        [&] { return composite::layer_norm(v(x), none, none, 1e-5); }, 1e-12, terms);
    expect_same(
        {&x, &gain}, [&] { return rms_norm(v(x), v(gain), 1e-6); },
        [&] { return composite::rms_norm(v(x), v(gain), 1e-6); }, 1e-12, terms);
  }
}

TEST(Norm, GradientsForFrozenAndTrainableWeights) {
  for (Index const width : {3, 70}) {
    auto x = leaf("x", {6, width}, 1, 0.5), gain = leaf("gain", {width}, 2), bias = leaf("bias", {width}, 3);
    Tensor<double> const g = gain.value(), b = bias.value(), none;
    Variable<double> const constant(x.value());
    auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
    auto const v = [](Parameter<double> const& p) { return p.variable(); };
    expect(gradcheck([&] { return layer_norm(v(x), v(gain), v(bias), 1e-5); }, {x, gain, bias}));
    expect(gradcheck([&] { return layer_norm(v(x), g, b, 1e-5); }, {x}));
    expect(gradcheck([&] { return layer_norm(v(x), g, v(bias), 1e-5); }, {x, bias}));
    expect(gradcheck([&] { return layer_norm(v(x), v(gain), b, 1e-5); }, {x, gain}));
    expect(gradcheck([&] { return layer_norm(v(x), none, none, 1e-5); }, {x}));
    expect(gradcheck([&] { return layer_norm(constant, v(gain), v(bias), 1e-5); }, {gain, bias}));
    expect(gradcheck([&] { return layer_norm(constant, g, v(bias), 1e-5); }, {bias}));
    expect(gradcheck([&] { return layer_norm(v(x), v(gain), none, 1e-5); }, {x, gain}));
    expect(gradcheck([&] { return rms_norm(v(x), v(gain), 1e-6); }, {x, gain}));
    expect(gradcheck([&] { return rms_norm(v(x), g, 1e-6); }, {x}));
    expect(gradcheck([&] { return rms_norm(v(x), none, 1e-6); }, {x}));
    expect(gradcheck([&] { return rms_norm(constant, v(gain), 1e-6); }, {gain}));
  }
}

TEST(Norm, RowsDoNotDependOnTheirPlace) {
  auto const x = random<float>({50, 67}, 1), gain = random<float>({67}, 2), bias = random<float>({67}, 3);
  auto const together = layer_norm(Variable<float>(x), gain, bias, 1e-5).value();
  for (Index i = 0; i < 50; ++i) {
    auto const alone = layer_norm(Variable<float>(clone(x.slice(i, i + 1))), gain, bias, 1e-5).value();
    EXPECT_EQ(std::memcmp(alone.data(), together.row(i), 67 * sizeof(float)), 0) << "row " << i;
  }
}

TEST(Norm, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {517, 300}, 1, 10.0), gain = leaf<Scalar>("gain", {300}, 2),
         bias = leaf<Scalar>("bias", {300}, 3);
    auto other = leaf<Scalar>("other", {300}, 4);
    auto const y = rms_norm(layer_norm(x.variable(), gain.variable(), bias.variable(), 1e-5), other.variable(), 1e-6);
    testing::backward_from(y);
    return std::vector<Tensor<Scalar>>{y.value(), x.gradient(), gain.gradient(), bias.gradient(), other.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-5);
}

TEST(Norm, Errors) {
  Variable<double> const x(random({2, 4}, 1)), flat(random({4}, 1));
  auto const four = random({4}, 2), three = random({3}, 2);
  EXPECT_NE(message_of<ShapeError>([&] {
              (void)layer_norm(x, three, four, 1e-5);
            }).find("gain of 3 elements; expected the input's width 4"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)layer_norm(x, four, three, 1e-5); }).find("bias of 3"),
            std::string::npos);
  EXPECT_NE(
      message_of<ShapeError>([&] { (void)rms_norm(flat, four, 1e-5); }).find("[rms_norm] got an input of shape [4]"),
      std::string::npos);
}

}  // namespace
}  // namespace graft
