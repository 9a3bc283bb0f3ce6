// Small fused operations give the values and gradients of their compositions; those of larger ones stand in their own
// tests.
#include <graft/ops/composite.hpp>
#include <graft/ops/low_rank.hpp>

#include "op_testing.hpp"

namespace graft {
namespace {

using graft::testing::expect_same;
using graft::testing::leaf;
using graft::testing::random;

TEST(Composite, Gated) {
  auto gate = leaf("gate", {5, 7}, 1), up = leaf("up", {5, 7}, 2);
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu, Activation::tanh})
    expect_same(
        {&gate, &up}, [&] { return gated(gate.variable(), up.variable(), f); },
        [&] { return composite::gated(gate.variable(), up.variable(), f); });
}

TEST(Composite, AddLowRank) {
  auto y = leaf("y", {5, 6}, 1), x = leaf("x", {5, 4}, 2), a = leaf("a", {3, 4}, 3), b = leaf("b", {6, 3}, 4);
  expect_same(
      {&y, &x, &a, &b}, [&] { return add_low_rank(y.variable(), x.variable(), a.variable(), b.variable(), 0.7); },
      [&] { return composite::add_low_rank(y.variable(), x.variable(), a.variable(), b.variable(), 0.7); });
}

TEST(Composite, MeanSquaredError) {
  auto x = leaf("x", {5, 7}, 1);
  auto const target = random({5, 7}, 2);
  expect_same(
      {&x}, [&] { return mean_squared_error(x.variable(), target); },
      [&] { return composite::mean_squared_error(x.variable(), target); });
}

}  // namespace
}  // namespace graft
