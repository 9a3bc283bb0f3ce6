// The feed-forward sublayer of frozen weights: plain loops, central differences, and the composition that it is.
#include <graft/ops/feed_forward.hpp>

#include "ops/plain_activation.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

TEST(FeedForward, ValuesMatchTheFormulas) {
  auto const x = random({4, 3}, 1), w1 = random({5, 3}, 2), b1 = random({5}, 3), w2 = random({2, 5}, 4),
             b2 = random({2}, 5);
  for (Activation const f : testing::all_activations) {
    auto const y = feed_forward(Variable<double>(x), FrozenMatrix<double>(w1), b1, f, FrozenMatrix<double>(w2), b2);
    ASSERT_EQ(y.shape(), (Shape{4, 2}));
    for (Index i = 0; i < 4; ++i)
      for (Index j = 0; j < 2; ++j) {
        double sum = b2.data()[j];
        for (Index h = 0; h < 5; ++h) {
          double u = b1.data()[h];
          for (Index k = 0; k < 3; ++k) u += x.row(i)[k] * w1.row(h)[k];
          sum += testing::plain(f, u) * w2.row(j)[h];
        }
        EXPECT_NEAR(y.value().row(i)[j], sum, 1e-13);
      }
  }
}

TEST(FeedForward, Gradients) {
  auto x = leaf("x", {4, 3}, 1);
  FrozenMatrix<double> const w1(random({3, 6}, 2), Layout::in_out), w2(random({2, 6}, 3));
  auto const b1 = random({6}, 4), b2 = random({2}, 5);
  for (Activation const f : testing::all_activations) {
    auto const report = gradcheck([&] { return feed_forward(x.variable(), w1, b1, f, w2, b2); }, {x});
    EXPECT_TRUE(report.passed) << report.message;
  }
}

/// Value and gradient of x.
template <class F>
std::vector<Tensor<float>> outcome(F const& f) {
  auto x = leaf<float>("x", {7, 12}, 1);
  auto const y = f(x.variable());
  testing::backward_from(y);
  return {y.value(), x.gradient()};
}

TEST(FeedForward, IsTheCompositionToTheBit) {
  FrozenMatrix<float> const w1(random<float>({16, 12}, 2)), w2(random<float>({16, 9}, 3), Layout::in_out);
  for (Activation const f : testing::all_activations)
    for (auto const& b1 : {Tensor<float>(), random<float>({16}, 4)})
      for (auto const& b2 : {Tensor<float>(), random<float>({9}, 5)})
        for (bool const computed : {true, false}) {
          auto const got = outcome([&](auto const& x) { return feed_forward(x, w1, b1, f, w2, b2, computed); });
          auto const expected =
              outcome([&](auto const& x) { return linear(activate(linear(x, w1, b1), f), w2, b2, computed); });
          for (std::size_t i = 0; i < got.size(); ++i) {
            ASSERT_EQ(got[i].shape(), expected[i].shape());
            EXPECT_EQ(std::memcmp(got[i].data(), expected[i].data(), static_cast<std::size_t>(got[i].size()) * 4), 0);
          }
        }
}

TEST(FeedForward, RecordsNothingForAConstant) {
  FrozenMatrix<double> const w1(random({5, 3}, 2)), w2(random({2, 5}, 3));
  EXPECT_FALSE(feed_forward(Variable<double>(random({4, 3}, 1)), w1, {}, Activation::relu, w2, {}).tracked());
}

TEST(FeedForward, Errors) {
  Variable<double> const x(random({4, 3}, 1)), wide(random({4, 6}, 1));
  FrozenMatrix<double> const w1(random({5, 3}, 2)), w2(random({2, 5}, 3));
  auto const f = Activation::relu;
  EXPECT_EQ(
      message_of<ShapeError>([&] { (void)feed_forward(wide, w1, {}, f, w2, {}); }),
      "[feed_forward] got input [4, 6] and weights of 5 x 3 and 2 x 5; expected [rows, in], hidden x in and out x "
      "hidden");
  EXPECT_EQ(
      message_of<ShapeError>([&] { (void)feed_forward(x, w1, {}, f, w1, {}); }),
      "[feed_forward] got input [4, 3] and weights of 5 x 3 and 5 x 3; expected [rows, in], hidden x in and out x "
      "hidden");
  EXPECT_EQ(message_of<ShapeError>([&] { (void)feed_forward(x, w1, random({2}, 1), f, w2, {}); }),
            "[feed_forward] got bias [2]; expected [5]");
  EXPECT_EQ(message_of<ShapeError>([&] { (void)feed_forward(x, w1, {}, f, w2, random({5}, 1)); }),
            "[feed_forward] got bias [5]; expected [2]");
}

}  // namespace
}  // namespace graft
