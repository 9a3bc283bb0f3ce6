// The linear map: frozen and trained weights in both layouts, with and without a bias.
#include <graft/ops/linear.hpp>
#include <graft/ops/low_rank.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

void expect(GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; }

TEST(Linear, ValuesMatchTheFormulas) {
  auto const x = random({4, 3}, 1), w = random({5, 3}, 2), b = random({5}, 3);
  Tensor<double> turned(Shape{3, 5});
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 3; ++j) turned.row(j)[i] = w.row(i)[j];
  Variable<double> const input(x);
  auto const plain = linear(input, FrozenMatrix<double>(w), b).value(),
             other = linear(input, FrozenMatrix<double>(turned, Layout::in_out)).value(),
             trained = linear(input, Variable<double>(w), Variable<double>(b)).value();
  ASSERT_EQ(plain.shape(), (Shape{4, 5}));
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 5; ++j) {
      double sum = 0;
      for (Index k = 0; k < 3; ++k) sum += x.row(i)[k] * w.row(j)[k];
      EXPECT_NEAR(plain.row(i)[j], sum + b.data()[j], 1e-14);
      EXPECT_NEAR(other.row(i)[j], sum, 1e-14);
      EXPECT_NEAR(trained.row(i)[j], sum + b.data()[j], 1e-14);
    }
}

TEST(Linear, Gradients) {
  auto x = leaf("x", {4, 3}, 1), w = leaf("w", {5, 3}, 2), turned = leaf("turned", {3, 5}, 3), b = leaf("b", {5}, 4);
  Variable<double> const fixed(x.value());
  FrozenMatrix<double> const frozen(w.value());
  expect(gradcheck([&] { return linear(x.variable(), w.variable(), b.variable()); }, {x, w, b}));
  expect(gradcheck([&] { return linear(x.variable(), w.variable()); }, {x, w}));
  expect(gradcheck([&] { return linear(fixed, w.variable(), b.variable()); }, {w, b}));
  expect(gradcheck([&] { return linear(x.variable(), frozen, b.value()); }, {x}));
  expect(gradcheck([&] { return linear(x.variable(), frozen, b.variable()); }, {x, b}));
  TrainableMatrix<double> const in_out{turned.variable(), Layout::in_out};
  expect(gradcheck([&] { return linear(x.variable(), in_out, b.variable()); }, {x, turned, b}));
  expect(gradcheck([&] { return linear(linear(x.variable(), in_out), in_out.value); }, {x, turned}));
}

TEST(Linear, AFrozenMatrixWantsNoGradient) {
  auto const y = linear(Variable<double>(random({4, 3}, 1)), FrozenMatrix<double>(random({5, 3}, 2)));
  EXPECT_FALSE(y.tracked());
}

TEST(LowRank, Gradients) {
  auto y = leaf("y", {5, 6}, 1), x = leaf("x", {5, 4}, 2), a = leaf("a", {3, 4}, 3), b = leaf("b", {6, 3}, 4);
  expect(gradcheck([&] { return add_low_rank(y.variable(), x.variable(), a.variable(), b.variable(), 0.7); },
                   {y, x, a, b}));
}

TEST(Linear, Errors) {
  Variable<double> const x(random({4, 3}, 1)), wide(random({4, 6}, 1));
  FrozenMatrix<double> const w(random({5, 3}, 2));
  EXPECT_EQ(message_of<ShapeError>([&] { (void)linear(wide, w); }),
            "[linear] got input [4, 6]; expected [rows, 3] for a weight of 5 x 3");
  EXPECT_EQ(message_of<ShapeError>([&] { (void)linear(x, w, random({4}, 1)); }), "[linear] got bias [4]; expected [5]");
}

}  // namespace
}  // namespace graft
