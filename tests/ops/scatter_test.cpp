// Rows that go to places of their own: the adjoint of a gather.
#include <graft/ops/scatter.hpp>
#include <graft/ops/sum.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

TEST(Scatter, RowsGoToTheirPlaces) {
  auto const x = random({3, 2}, 1);
  auto const y = scatter_rows(Variable<double>(x), {4, 0, 2}, 6).value();
  auto const sums = scatter_add_rows(Variable<double>(x), {4, 0, 4}, 6).value();
  ASSERT_EQ(y.shape(), (Shape{6, 2}));
  ASSERT_EQ(sums.shape(), (Shape{6, 2}));
  for (Index j = 0; j < 2; ++j) {
    double const expected[6] = {x.row(1)[j], 0, x.row(2)[j], 0, x.row(0)[j], 0};
    double const added[6] = {x.row(1)[j], 0, 0, 0, x.row(0)[j] + x.row(2)[j], 0};
    for (Index i = 0; i < 6; ++i) {
      EXPECT_EQ(y.row(i)[j], expected[i]) << i;
      EXPECT_EQ(sums.row(i)[j], added[i]) << i;
    }
  }
}

TEST(Scatter, Gradients) {
  auto x = leaf("x", {3, 2}, 1), z = leaf("z", {5, 2}, 2), cube = leaf("cube", {2, 2, 3}, 3);
  auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
  expect(gradcheck([&] { return scatter_rows(x.variable(), {4, 0, 2}, 5); }, {x}));
  expect(gradcheck([&] { return scatter_add_rows(x.variable(), {4, 0, 2}, 5); }, {x}));
  expect(gradcheck([&] { return scatter_add_rows(x.variable(), {4, 4, 2}, 5); }, {x}));
  expect(gradcheck([&] { return scatter_rows(cube.variable(), {1, 0}, 4); }, {cube}));
  auto const shared = [&] {
    auto const y = scatter_rows(x.variable(), {4, 0, 2}, 5);
    return add(multiply(y, z.variable()), add(y, scatter_add_rows(z.variable(), {0, 0, 1, 1, 1}, 5)));
  };
  expect(gradcheck(shared, {x, z}));
}

/// ⟨scatter(x), z⟩ = ⟨x, gather(z)⟩.
TEST(Scatter, IsTheAdjointOfAGather) {
  Variable<double> const x(random({4, 3}, 1)), z(random({6, 3}, 2));
  std::vector<Index> const distinct{5, 1, 0, 3}, repeated{5, 1, 5, 5};
  auto const dot = [](Variable<double> const& a, Variable<double> const& b) {
    return sum(multiply(a, b)).value().data()[0];
  };
  EXPECT_NEAR(dot(scatter_rows(x, distinct, 6), z), dot(x, gather_rows(z, distinct)), 1e-13);
  EXPECT_NEAR(dot(scatter_add_rows(x, repeated, 6), z), dot(x, gather_rows(z, repeated)), 1e-13);
}

TEST(Scatter, NothingToScatter) {
  auto const nothing = Variable<double>(Tensor<double>(Shape{0, 2}));
  auto const y = scatter_rows(nothing, {}, 2).value();
  ASSERT_EQ(y.shape(), (Shape{2, 2}));
  for (Index i = 0; i < 4; ++i) EXPECT_EQ(y.data()[i], 0);
  EXPECT_EQ(scatter_add_rows(nothing, {}, 0).shape(), (Shape{0, 2}));
}

/// 256 + 1 is 256 in bfloat16: a sum that is rounded at every step stays there.
TEST(Scatter, OfBfloat16SumsInFloat32) {
  Variable<bfloat16> const ones(rounded<bfloat16, Cpu>(full({600, 2}, 1.F)));
  EXPECT_EQ(static_cast<float>(scatter_add_rows(ones, std::vector<Index>(600, 1), 3).value().row(1)[1]), 600.F);
  Parameter<bfloat16> x("x", rounded<bfloat16, Cpu>(full({2, 2}, 3.F)));
  auto const y = scatter_rows(x.variable(), {2, 0}, 3);
  EXPECT_EQ(static_cast<float>(y.value().row(2)[0]), 3.F);
  EXPECT_EQ(static_cast<float>(y.value().row(1)[0]), 0.F);
  backward_from(y, rounded<bfloat16, Cpu>(full({3, 2}, 1.5F)));
  EXPECT_EQ(static_cast<float>(x.gradient().row(1)[1]), 1.5F);
}

TEST(Scatter, PrecisionAndThreads) {
  auto const run = [](auto zero) {
    using Scalar = decltype(zero);
    auto x = leaf<Scalar>("x", {900, 230}, 1);
    std::vector<Index> repeated, distinct;
    for (Index i = 0; i < 900; ++i) {
      repeated.push_back(static_cast<Index>(RandomKey(3).below(static_cast<std::uint64_t>(i), 90)));
      distinct.push_back((i * 7) % 1000);
    }
    auto const sums = scatter_add_rows(x.variable(), repeated, 90), rows = scatter_rows(x.variable(), distinct, 1000);
    testing::backward_from(sums);
    testing::backward_from(rows);
    return std::vector<Tensor<Scalar>>{sums.value(), rows.value(), x.gradient()};
  };
  testing::expect_precise_and_independent_of_threads(run, 1e-6);
}

TEST(Scatter, Errors) {
  Variable<double> const x(random({2, 3}, 1));
  auto const said = [](auto const& f) { return message_of<ShapeError>(f); };
  EXPECT_EQ(said([&] { (void)scatter_rows(x, {0}, 4); }),
            "[scatter_rows] got 1 indices for an input of shape [2, 3]; expected one for each row");
  EXPECT_EQ(said([&] { (void)scatter_rows(x, {0, 4}, 4); }), "[scatter_rows] got index 4 at place 1; expected 0 to 3");
  EXPECT_EQ(said([&] { (void)scatter_add_rows(x, {-1, 0}, 4); }),
            "[scatter_add_rows] got index -1 at place 0; expected 0 to 3");
  EXPECT_EQ(said([&] { (void)scatter_rows(x, {2, 2}, 4); }),
            "[scatter_rows] got an index twice; expected a row of its own for each; hint: scatter_add_rows adds rows "
            "that go to one place");
  EXPECT_EQ(said([&] { (void)scatter_add_rows(x, {0, 0}, -1); }),
            "[scatter_add_rows] got a result of -1 rows; expected 0 or more");
}

}  // namespace
}  // namespace graft
