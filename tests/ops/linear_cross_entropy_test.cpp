#include <graft/ops/composite/linear_cross_entropy.hpp>
#include <graft/ops/linear_cross_entropy.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::leaf;
using testing::message_of;
using testing::random;

constexpr Index targets = 5, width = 4, vocabulary = 23;
std::vector<Token> const labels{3, 0, 22, 7, 3};

/// Blocks that divide neither the classes nor the rows, one that holds all, and one of a single logit.
constexpr LogitBlock blocks[] = {{7, 2}, {}, {1, 1}, {23, 5}, {22, 4}};

TEST(LinearCrossEntropy, EqualsItsCompositionForEveryBlock) {
  auto h = leaf("h", {targets, width}, 1), w = leaf("w", {vocabulary, width}, 2), b = leaf("b", {vocabulary}, 3);
  Tensor<double> const none;
  auto const expect = [&](std::vector<Parameter<double>*> const& leaves, auto const& weight, auto const& bias) {
    auto const wanted = composite::linear_cross_entropy(h.variable(), weight(), labels, bias());
    for (auto const& block : blocks) {
      auto const got = linear_cross_entropy(h.variable(), weight(), labels, bias(), block);
      EXPECT_LE(testing::relative_error(got.log_sum_exp, wanted.log_sum_exp), 1e-13);
      EXPECT_LE(testing::relative_error(got.mean_logit, wanted.mean_logit), 1e-13);
      testing::expect_same(
          leaves, [&] { return linear_cross_entropy(h.variable(), weight(), labels, bias(), block).log_probability; },
          [&] { return composite::linear_cross_entropy(h.variable(), weight(), labels, bias()).log_probability; });
    }
  };
  auto const frozen = [&] { return FrozenMatrix<double>(w.value()); };
  auto const trained = [&] { return TrainableMatrix<double>{w.variable()}; };
  expect({&h}, frozen, [&] { return none; });
  expect({&h}, frozen, [&] { return b.value(); });
  expect({&h, &w}, trained, [&] { return none; });
  expect({&h, &w, &b}, trained, [&] { return b.variable(); });
}

TEST(LinearCrossEntropy, GradientsOfEveryCombinationAndBlock) {
  auto h = leaf("h", {targets, width}, 1), w = leaf("w", {vocabulary, width}, 2), b = leaf("b", {vocabulary}, 3);
  FrozenMatrix<double> const frozen(w.value());
  TrainableMatrix<double> const trained{w.variable()};
  Variable<double> const constant(h.value());
  Tensor<double> const bias = b.value(), none;
  auto const expect = [](GradcheckReport const& report) { EXPECT_TRUE(report.passed) << report.message; };
  for (auto const& block : blocks) {
    auto const score = [&](auto const& x, auto const& weight, auto const& some_bias) {
      return linear_cross_entropy(x, weight, labels, some_bias, block).log_probability;
    };
    expect(gradcheck([&] { return score(h.variable(), frozen, none); }, {h}));
    expect(gradcheck([&] { return score(h.variable(), frozen, bias); }, {h}));
    expect(gradcheck([&] { return score(h.variable(), frozen, b.variable()); }, {h, b}));
    expect(gradcheck([&] { return score(h.variable(), trained, none); }, {h, w}));
    expect(gradcheck([&] { return score(h.variable(), trained, b.variable()); }, {h, w, b}));
    expect(gradcheck([&] { return score(constant, trained, bias); }, {w}));
    expect(gradcheck([&] { return score(constant, frozen, b.variable()); }, {b}));
  }
}

TEST(LinearCrossEntropy, LargeLogitsInAnyOrderOfBlocks) {
  // The largest logit comes in the first, a middle or the last block; exp of the plain differences would overflow or
  // vanish.
  for (Index const at : {0, 11, 22}) {
    auto const h = full<float>({1, 1}, 1.F);
    Tensor<float> w(Shape{vocabulary, 1});
    for (Index v = 0; v < vocabulary; ++v) w.data()[v] = static_cast<float>(-300 * v);
    w.data()[at] = 5000.F;
    auto const got = linear_cross_entropy(Variable<float>(h), FrozenMatrix<float>(w), {static_cast<Token>(at)},
                                          Tensor<float>(), LogitBlock{4, 1});
    EXPECT_EQ(got.log_sum_exp.data()[0], 5000.F) << at;
    EXPECT_EQ(got.log_probability.value().data()[0], 0.F) << at;
  }
}

TEST(LinearCrossEntropy, ANumberThatIsNoneIsNotHidden) {
  for (Index const at : {0, 11, 22}) {
    auto w = random({vocabulary, 1}, 2);
    w.data()[at] = NAN;
    auto const got = linear_cross_entropy(Variable<double>(full<double>({1, 1}, 1.0)), FrozenMatrix<double>(w), {1},
                                          Tensor<double>(), LogitBlock{4, 1});
    EXPECT_TRUE(std::isnan(got.log_probability.value().data()[0])) << at;
  }
}

TEST(LinearCrossEntropy, StorageOfTwoBytesScoresAsItsNumbersDo) {
  auto const h = random({targets, width}, 1);
  Tensor<bfloat16> const stored = cast<bfloat16>(random<float>({vocabulary, width}, 2));
  auto const got = linear_cross_entropy(Variable<double>(h), FrozenMatrix<double>(stored), labels, Tensor<double>(),
                                        LogitBlock{7, 2});
  auto const wanted = composite::linear_cross_entropy(Variable<double>(h),
                                                      FrozenMatrix<double>(cast<double>(cast<float>(stored))), labels);
  EXPECT_LE(testing::relative_error(got.log_probability.value(), wanted.log_probability.value()), 1e-13);
}

TEST(LinearCrossEntropy, FloatIsPreciseAndIndependentOfThreads) {
  std::vector<Token> many;
  for (Token i = 0; i < 50; ++i) many.push_back(i * 97 % 5000);
  testing::expect_precise_and_independent_of_threads(
      [&]<class Scalar>(Scalar) {
        auto h = Parameter<Scalar>("h", cast<Scalar>(random({50, 33}, 1))),
             w = Parameter<Scalar>("w", cast<Scalar>(random({5000, 33}, 2)));
        auto const scores = linear_cross_entropy(h.variable(), TrainableMatrix<Scalar>{w.variable()}, many);
        testing::backward_from(scores.log_probability);
        return std::vector<Tensor<Scalar>>{scores.log_probability.value(), scores.log_sum_exp, h.gradient(),
                                           w.gradient()};
      },
      2e-6);
}

TEST(LinearCrossEntropy, NothingToScore) {
  auto h = leaf("h", {0, width}, 1), w = leaf("w", {vocabulary, width}, 2);
  EXPECT_EQ(linear_cross_entropy(h.variable(), TrainableMatrix<double>{w.variable()}, {}).log_probability.shape(),
            (Shape{0}));
}

TEST(LinearCrossEntropy, RefusesWhatDoesNotFit) {
  auto const h = random({2, width}, 1), w = random({vocabulary, width}, 2);
  auto const run = [&](Tensor<double> const& x, std::vector<Token> const& some, Layout layout = Layout::out_in) {
    return message_of<ShapeError>(
        [&] { static_cast<void>(linear_cross_entropy(Variable<double>(x), FrozenMatrix<double>(w, layout), some)); });
  };
  EXPECT_EQ(run(random({2, 3}, 1), {1, 2}), "[linear_cross_entropy] got hidden states [2, 3]; expected [targets, 4]");
  EXPECT_EQ(run(h, {1}), "[linear_cross_entropy] got 1 labels; expected 2, one for each hidden state");
  EXPECT_EQ(run(h, {1, 23}), "[linear_cross_entropy] got label 23; expected 0 to 22");
  EXPECT_EQ(run(h, {1, -1}), "[linear_cross_entropy] got label -1; expected 0 to 22");
  EXPECT_EQ(run(random({2, 23}, 1), {1, 2}, Layout::in_out),
            "[FrozenMatrix] got outputs of a weight stored as [in, out]; expected [out, in]");
}

}  // namespace
}  // namespace graft
