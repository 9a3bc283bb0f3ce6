// Fused operations give the values and gradients of their compositions.
#include <graft/ops/composite.hpp>
#include <graft/ops/low_rank.hpp>

#include "op_testing.hpp"

namespace graft {
namespace {

using graft::testing::leaf;
using graft::testing::random;

/// Values, and gradients of `leaves`, of both functions agree to rounding.
template <class Fused, class Composite>
void expect_equal(std::vector<Parameter<double>*> const& leaves, Fused const& fused, Composite const& composite) {
  auto const run = [&](auto const& f) {
    for (auto* parameter : leaves) parameter->clear_gradient();
    auto const y = f();
    testing::backward_from(y);
    std::vector<Tensor<double>> results{clone(y.value())};
    for (auto* parameter : leaves) results.push_back(clone(parameter->gradient()));
    return results;
  };
  auto const got = run(fused), expected = run(composite);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(got[i].shape(), expected[i].shape()) << i;
    EXPECT_LE(testing::relative_error(got[i], expected[i]), 1e-13) << (i == 0 ? "value" : "gradient of " + leaves[i - 1]->name());
  }
}

TEST(Composite, Gated) {
  auto gate = leaf("gate", {5, 7}, 1), up = leaf("up", {5, 7}, 2);
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu, Activation::tanh})
    expect_equal({&gate, &up}, [&] { return gated(gate.variable(), up.variable(), f); },
                 [&] { return composite::gated(gate.variable(), up.variable(), f); });
}

TEST(Composite, AddLowRank) {
  auto y = leaf("y", {5, 6}, 1), x = leaf("x", {5, 4}, 2), a = leaf("a", {3, 4}, 3), b = leaf("b", {6, 3}, 4);
  expect_equal({&y, &x, &a, &b}, [&] { return add_low_rank(y.variable(), x.variable(), a.variable(), b.variable(), 0.7); },
               [&] { return composite::add_low_rank(y.variable(), x.variable(), a.variable(), b.variable(), 0.7); });
}

TEST(Composite, MeanSquaredError) {
  auto x = leaf("x", {5, 7}, 1);
  auto const target = random({5, 7}, 2);
  expect_equal({&x}, [&] { return mean_squared_error(x.variable(), target); }, [&] { return composite::mean_squared_error(x.variable(), target); });
}

}  // namespace
}  // namespace graft
