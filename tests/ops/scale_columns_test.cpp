#include <graft/ops/composite/scale_columns.hpp>
#include <graft/ops/scale_columns.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

TEST(ScaleColumns, EqualsItsComposition) {
  for (Index const width : {1, 3, 64, 131}) {
    auto x = leaf("x", {7, width}, 1), l = leaf("l", {1, width}, 2);
    testing::expect_same(
        {&x, &l}, [&] { return scale_columns(x.variable(), l.variable()); },
        [&] { return composite::scale_columns(x.variable(), l.variable()); }, 1e-14);
  }
}

TEST(ScaleColumns, Gradients) {
  for (auto const& shape :
       {Shape{5}, Shape{5, 1}, Shape{1, 5}}) {  // a vector, (IA)³'s scales of outputs, and of inputs
    auto x = leaf("x", {4, 5}, 1), l = leaf("l", shape, 2);
    Variable<double> const constant_x(x.value()), constant_l(l.value());
    auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
    expect(gradcheck([&] { return scale_columns(x.variable(), l.variable()); }, {x, l}));
    expect(gradcheck([&] { return scale_columns(x.variable(), constant_l); }, {x}));
    expect(gradcheck([&] { return scale_columns(constant_x, l.variable()); }, {l}));
    EXPECT_FALSE(scale_columns(constant_x, constant_l).tracked());
  }
}

TEST(ScaleColumns, GradcheckCatchesAGradientThatForgetsTheInput) {
  auto x = leaf("x", {4, 5}, 1), l = leaf("l", {5}, 2);
  auto const wrong = [&] {
    Tensor<double> y = scale_columns(Variable<double>(x.value()), Variable<double>(l.value())).value();
    return record(y,
                  [to_x = x.variable().slot(), to_l = l.variable().slot(), gain = l.value()](Tensor<double> const& dy) {
                    Tensor<double> dx(dy.shape()), dl(gain.shape());
                    kernels::On<Cpu, kernels::ScaleColumns, double>::scale_columns(dy.data(), gain.data(), dy.rows(),
                                                                                   dy.width(), dx.data());
                    kernels::On<Cpu, kernels::ScaleColumns, double>::scale_columns_gain_gradient(
                        dy.data(), dy.data(), dy.rows(), dy.width(), dl.data());  // dy in place of x
                    to_x->accumulate(dx), to_l->accumulate(dl);
                  });
  };
  auto const report = gradcheck(wrong, {x, l});
  EXPECT_FALSE(report.passed);
  EXPECT_NE(report.message.find("input l"), std::string::npos) << report.message;
}

TEST(ScaleColumns, RowsByKernel) {
  auto const x = random({3, 70}, 1), gain = random({3}, 2);
  Tensor<double> y = clone(x);
  kernels::On<Cpu, kernels::ScaleColumns, double>::scale_rows(y.data(), gain.data(), Index{3}, Index{70}, y.data());
  for (Index i = 0; i < 3; ++i)
    for (Index j = 0; j < 70; ++j) EXPECT_EQ(y.row(i)[j], x.row(i)[j] * gain.data()[i]);
}

TEST(ScaleColumns, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {517, 300}, 1), l = leaf<Scalar>("l", {300, 1}, 2, 1.0);
    auto const y = scale_columns(x.variable(), l.variable());
    testing::backward_from(y);
    return std::vector<Tensor<Scalar>>{y.value(), x.gradient(), l.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-5);
}

TEST(ScaleColumns, Errors) {
  Variable<double> const x(random({2, 4}, 1)), flat(random({4}, 1)), three(random({3}, 2));
  EXPECT_NE(message_of<ShapeError>([&] { (void)scale_columns(x, three); }).find("scales of shape [3]"),
            std::string::npos);
  EXPECT_NE(message_of<ShapeError>([&] { (void)scale_columns(flat, flat); }).find("input of shape [4]"),
            std::string::npos);
}

}  // namespace
}  // namespace graft
