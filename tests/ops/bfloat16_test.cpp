// Operations on bfloat16: what the same operation on float gives for the same numbers, with one rounding of each
// result.
#include <graft/ops/activation.hpp>
#include <graft/ops/attention.hpp>
#include <graft/ops/bias.hpp>
#include <graft/ops/cast.hpp>
#include <graft/ops/gather.hpp>
#include <graft/ops/linear_cross_entropy.hpp>
#include <graft/ops/matmul.hpp>
#include <graft/ops/norm.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/rotary.hpp>
#include <graft/ops/scatter.hpp>

#include "ops/op_testing.hpp"

namespace graft {
namespace {

using testing::message_of;
using testing::random;

/// Numbers that are bfloat16 already, so that both types hold the same.
Tensor<float> representable(Shape const& shape, std::uint64_t seed, double mean = 0) {
  return widened(rounded<bfloat16, Cpu>(random<float>(shape, seed, mean)));
}
Parameter<bfloat16> narrow_leaf(Tensor<float> const& value) { return {"x", rounded<bfloat16, Cpu>(value)}; }
Parameter<float> leaf_of(Tensor<float> const& value) { return {"x", clone(value)}; }

template <class Scalar>
bool same_bits(Tensor<Scalar> const& a, Tensor<Scalar> const& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

/// `f` of variables of either type: one result; its operands' numbers are `inputs`, its parameters' (float in both)
/// `weights`.
template <class F>
void expect_one_rounding(char const* what, std::vector<Tensor<float>> const& inputs,
                         std::vector<Tensor<float>> const& weights, F const& f) {
  std::vector<Parameter<bfloat16>> narrow;
  std::vector<Parameter<float>> wide, of_narrow, of_wide;
  for (auto const& input : inputs) narrow.push_back(narrow_leaf(input)), wide.push_back(leaf_of(input));
  for (auto const& weight : weights) of_narrow.push_back(leaf_of(weight)), of_wide.push_back(leaf_of(weight));
  auto const y = f(narrow, of_narrow);
  auto const expected = f(wide, of_wide);
  EXPECT_TRUE(same_bits(y.value(), (rounded<bfloat16, Cpu>(expected.value())))) << what;
  Tensor<float> const dy = representable(expected.shape(), 77);
  backward_from(y, rounded<bfloat16, Cpu>(dy));
  backward_from(expected, clone(dy));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    EXPECT_TRUE(same_bits(narrow[i].gradient(), (rounded<bfloat16, Cpu>(wide[i].gradient()))))
        << what << ", operand " << i;
  for (std::size_t i = 0; i < weights.size(); ++i)
    EXPECT_TRUE(same_bits(of_narrow[i].gradient(), of_wide[i].gradient())) << what << ", parameter " << i;
}

TEST(Bfloat16, AnOperationRoundsItsResultOnce) {
  Shape const shape{37, 24};
  auto const x = representable(shape, 1), other = representable(shape, 2);
  auto const wide = random<float>({50, 24}, 3), of_fifty = random<float>({50}, 6);
  auto const vector = random<float>({24}, 4), shift = random<float>({24}, 5);
  auto const one = [](char const* what, std::vector<Tensor<float>> const& inputs, auto const& f) {
    expect_one_rounding(what, inputs, {}, [&](auto& in, auto&) { return f(in); });
  };
  one("add", {x, other}, [](auto& in) { return add(in[0].variable(), in[1].variable()); });
  one("multiply", {x, other}, [](auto& in) { return multiply(in[0].variable(), in[1].variable()); });
  one("scale", {x}, [](auto& in) { return scale(in[0].variable(), 1.7); });
  for (auto f : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu})
    one("activation", {x}, [f](auto& in) { return activate(in[0].variable(), f); });
  one("gated", {x, other}, [](auto& in) { return gated(in[0].variable(), in[1].variable(), Activation::silu); });
  one("gather", {x}, [](auto& in) { return gather_rows(in[0].variable(), {3, 3, 0, 36, 3}); });
  one("slice", {x}, [](auto& in) { return slice_rows(in[0].variable(), 5, 11); });
  RotaryTable<float> const table(rotary_frequencies(8));
  std::vector<Index> positions(37);
  for (std::size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<Index>(3 * i);
  one("rotary", {x}, [&](auto& in) { return rotary(in[0].variable(), positions, table); });
  expect_one_rounding("layer norm", {x}, {vector, shift}, [](auto& in, auto& w) {
    return layer_norm(in[0].variable(), w[0].variable(), w[1].variable(), 1e-5);
  });
  expect_one_rounding("rms norm", {x}, {vector},
                      [](auto& in, auto& w) { return rms_norm(in[0].variable(), w[0].variable(), 1e-6); });
  expect_one_rounding("bias", {x}, {vector},
                      [](auto& in, auto& w) { return add_bias(in[0].variable(), w[0].variable()); });
  expect_one_rounding("linear", {x}, {wide, of_fifty}, [](auto& in, auto& w) {
    return linear(in[0].variable(), TrainableMatrix<float>{w[0].variable()}, w[1].variable());
  });
  auto const square = random<float>({24, 6}, 8);
  expect_one_rounding("matmul", {x}, {square},
                      [](auto& in, auto& w) { return matmul(in[0].variable(), w[0].variable()); });
  one("row_sums", {x}, [](auto& in) { return row_sums(in[0].variable()); });
  std::vector<Index> places(37);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<Index>((7 * i) % 40);
  one("scatter", {x}, [&](auto& in) { return scatter_rows(in[0].variable(), places, 40); });
  one("scatter and add", {x},
      [](auto& in) { return scatter_add_rows(in[0].variable(), std::vector<Index>(37, 2), 3); });
  for (FrozenMatrix<float> const& frozen :
       {FrozenMatrix<float>(wide), FrozenMatrix<float>(rounded<bfloat16, Cpu>(wide))})
    one("frozen linear", {x}, [&](auto& in) { return linear(in[0].variable(), frozen, of_fifty); });
}

TEST(Bfloat16, TheLossIsFloat32) {
  auto const h = representable({9, 24}, 1), w = random<float>({50, 24}, 2);
  std::vector<Token> const labels{0, 3, 49, 7, 7, 12, 30, 1, 2};
  auto narrow = narrow_leaf(h);
  auto wide = leaf_of(h), of_narrow = leaf_of(w), of_wide = leaf_of(w);
  auto const got = linear_cross_entropy(narrow.variable(), TrainableMatrix<float>{of_narrow.variable()}, labels);
  auto const expected = linear_cross_entropy(wide.variable(), TrainableMatrix<float>{of_wide.variable()}, labels);
  EXPECT_TRUE(same_bits(got.log_probability.value(), expected.log_probability.value()));
  testing::backward_from(got.log_probability);
  testing::backward_from(expected.log_probability);
  EXPECT_TRUE(same_bits(narrow.gradient(), (rounded<bfloat16, Cpu>(wide.gradient()))));
  EXPECT_TRUE(same_bits(of_narrow.gradient(), of_wide.gradient()));
}

TEST(Bfloat16, AttentionSumsInFloat32) {
  AttentionShape const shape{4, 2, 6, 0.4};
  auto const q = representable({7, 24}, 1), kv = representable({7, 24}, 2), bank = representable({3, 24}, 3);
  SegmentTable segments;
  segments.query_offsets = {0, 4, 7};
  segments.segment_offsets = {0, 2, 4};
  segments.segments = {{.source = 0, .begin = 0, .length = 4, .causal = true, .position = 0},
                       {.source = 1, .begin = 0, .length = 3},
                       {.source = 0, .begin = 4, .length = 3, .causal = true, .position = 0},
                       {.source = 1, .begin = 0, .length = 3}};
  auto const table = std::make_shared<CheckedSegments const>(segments);
  std::vector<int> buckets;
  for (int distance = -20; distance <= 20; ++distance) buckets.push_back(distance < 0 ? 0 : distance > 2 ? 2 : 1);
  auto const biases = random<float>({3, 4}, 5);
  auto const run = [&](auto query, auto keys, auto prefix, Parameter<float> const& bias) {
    using Scalar = std::remove_cvref_t<decltype(*query.value().data())>;
    RelativeBias<Scalar> const relative{bias.variable(), buckets, -20};
    return attention<Scalar, Cpu>(
        {query.variable(), 0},
        {{{keys.variable(), 0}, {keys.variable(), 12}}, {{prefix.variable(), 0}, {prefix.variable(), 12}}}, table,
        shape, &relative);
  };
  auto nq = narrow_leaf(q), nk = narrow_leaf(kv), nb = narrow_leaf(bank);
  auto wq = leaf_of(q), wk = leaf_of(kv), wb = leaf_of(bank), bias = leaf_of(biases), wide_bias = leaf_of(biases);
  auto const got = run(nq, nk, nb, bias);
  auto const expected = run(wq, wk, wb, wide_bias);
  EXPECT_TRUE(same_bits(got.value(), (rounded<bfloat16, Cpu>(expected.value()))));
  auto const dy = representable(expected.shape(), 9);
  backward_from(got, rounded<bfloat16, Cpu>(dy));
  backward_from(expected, clone(dy));
  EXPECT_TRUE(same_bits(nq.gradient(), (rounded<bfloat16, Cpu>(wq.gradient()))));
  EXPECT_TRUE(same_bits(nk.gradient(), (rounded<bfloat16, Cpu>(wk.gradient()))));
  EXPECT_TRUE(same_bits(nb.gradient(), (rounded<bfloat16, Cpu>(wb.gradient()))));
  EXPECT_TRUE(same_bits(bias.gradient(), wide_bias.gradient()));
}

TEST(Bfloat16, KeysThatAreTheValuesGetBothGradients) {
  AttentionShape const shape{1, 1, 8, 0.5};
  auto const x = representable({5, 8}, 1);
  SegmentTable segments;
  segments.query_offsets = {0, 5}, segments.segment_offsets = {0, 1},
  segments.segments = {{.source = 0, .begin = 0, .length = 5}};
  auto const table = std::make_shared<CheckedSegments const>(segments);
  auto const run = [&](auto& p) {
    using Scalar = std::remove_cvref_t<decltype(*p.value().data())>;
    Variable<Scalar> const query(p.value());
    return attention<Scalar, Cpu>({query, 0}, {{{p.variable(), 0}, {p.variable(), 0}}}, table, shape);
  };
  auto narrow = narrow_leaf(x);
  auto wide = leaf_of(x);
  auto const dy = representable({5, 8}, 2);
  backward_from(run(narrow), rounded<bfloat16, Cpu>(dy));
  backward_from(run(wide), clone(dy));
  EXPECT_TRUE(same_bits(narrow.gradient(), (rounded<bfloat16, Cpu>(wide.gradient()))));
}

/// 256 + 1 is 256 in bfloat16: a sum that is rounded at every step stays there.
TEST(Bfloat16, GradientsAreAddedUpInFloat32) {
  auto x = narrow_leaf(full({4}, 1.0F));
  Tensor<bfloat16> const one = rounded<bfloat16, Cpu>(full({4}, 1.0F));
  for (int i = 0; i < 600; ++i) x.variable().slot()->accumulate(one);
  EXPECT_EQ(static_cast<float>(x.gradient().data()[2]), 600);
  x.clear_gradient();
  x.variable().slot()->accumulate(one);
  EXPECT_EQ(static_cast<float>(x.gradient().data()[2]), 1) << "nothing of the former sum";

  auto rows = narrow_leaf(full({3, 2}, 1.0F));
  backward_from(gather_rows(rows.variable(), std::vector<Index>(600, 1)), rounded<bfloat16, Cpu>(full({600, 2}, 1.0F)));
  EXPECT_EQ(static_cast<float>(rows.gradient().row(1)[1]), 600);
  EXPECT_EQ(static_cast<float>(rows.gradient().row(0)[1]), 0);
}

TEST(Bfloat16, RowsAndColumnsOfOneVariableAreAddedUpInFloat32) {
  auto rows = narrow_leaf(full({3, 2}, 1.0F)), columns = narrow_leaf(full({1, 4}, 1.0F));
  auto const ones = [] { return rounded<bfloat16, Cpu>(full({1, 2}, 1.0F)); };
  SegmentTable segments;  // one query that sees one key, so that its output is the value
  segments.query_offsets = {0, 1}, segments.segment_offsets = {0, 1},
  segments.segments = {{.source = 0, .begin = 0, .length = 1}};
  auto const table = std::make_shared<CheckedSegments const>(segments);
  for (int i = 0; i < 300; ++i) {
    backward_from(slice_rows(rows.variable(), 1, 2), ones());
    backward_from(gather_rows(rows.variable(), {1}), ones());
    backward_from(
        attention<bfloat16, Cpu>({Variable<bfloat16>(ones()), 0}, {{{columns.variable(), 0}, {columns.variable(), 2}}},
                                 table, AttentionShape{1, 1, 2, 1.0}),
        ones());
  }
  EXPECT_EQ(static_cast<float>(rows.gradient().row(1)[1]), 600);
  EXPECT_EQ(static_cast<float>(rows.gradient().row(2)[1]), 0);
  EXPECT_EQ(static_cast<float>(columns.gradient().row(0)[0]), 0) << "of the key";
  EXPECT_EQ(static_cast<float>(columns.gradient().row(0)[3]), 300) << "of the value";
}

/// 1 + 3·2⁻⁹ is 1 + 2⁻⁷ in bfloat16, and thrice that is not what three times the number is.
TEST(Bfloat16, ContributionsAreNotRoundedBeforeTheirSum) {
  float const number = 1 + 3.0F / 512;
  float const sum = static_cast<float>(bfloat16(3 * number));
  ASSERT_NE(sum, static_cast<float>(bfloat16(3 * static_cast<float>(bfloat16(number)))));
  auto x = narrow_leaf(full({1, 1}, 1.0F)), y = narrow_leaf(full({1, 1}, 1.0F));
  FrozenMatrix<float> const w(full({1, 1}, number));
  for (int i = 0; i < 3; ++i) {
    backward_from(linear(x.variable(), w), rounded<bfloat16, Cpu>(full({1, 1}, 1.0F)));
    backward_from(cast<float>(y.variable()), full({1, 1}, number));
  }
  EXPECT_EQ(static_cast<float>(x.gradient().data()[0]), sum);
  EXPECT_EQ(static_cast<float>(y.gradient().data()[0]), sum);
  EXPECT_EQ(static_cast<float>(y.gradient().data()[0]), sum) << "asking changes nothing";
  auto& slot = *y.variable().slot();
  EXPECT_EQ(slot.take_sum().data()[0], 3 * number);
  EXPECT_TRUE(slot.empty() && slot.gradient().empty() && slot.take_sum().empty());
  slot.accumulate(rounded<bfloat16, Cpu>(full({1, 1}, 1.0F)));
  EXPECT_EQ(slot.take_sum().data()[0], 1) << "a single narrow one";
}

TEST(Cast, RoundsToNearestEvenAndPassesGradientsOn) {
  auto x =
      leaf_of(tensor_of<float>({4}, std::vector<double>{1.0, 1.00390625, 1.01171875, -3.0}));  // 1, 1 + 2⁻⁸, 1 + 3·2⁻⁸
  auto const y = cast<bfloat16>(x.variable());
  EXPECT_EQ(static_cast<float>(y.value().data()[1]), 1.0F) << "a tie goes to the even neighbour";
  EXPECT_EQ(static_cast<float>(y.value().data()[2]), 1.015625F);
  auto const back = cast<float>(y);
  EXPECT_EQ(cast<float>(back).slot(), back.slot()) << "the same type: itself";
  backward_from(back, tensor_of<float>({4}, std::vector<double>{1.0, 2.5, 1.00390625, 0.0}));
  std::vector<float> const expected{1.0F, 2.5F, 1.0F, 0.0F};  // rounded once, on the way through bfloat16
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(x.gradient().data()[i], expected[i]);
}

/// Over numbers and steps that bfloat16 holds, casts are linear without any rounding, and so differences give the
/// derivative exactly.
TEST(Cast, GradientsEqualDifferences) {
  std::vector<double> const weights{0.5, -2.0, 1.25, 3.0, -0.75, 8.0};
  auto const w = tensor_of<float>({2, 3}, weights);
  auto const loss = [&](Tensor<float> const& numbers) {
    NoGrad const no_grad;
    return weighted_sum(cast<float>(cast<bfloat16>(Variable<float>(numbers))), w).value().data()[0];
  };
  auto x = leaf_of(tensor_of<float>({2, 3}, std::vector<double>{0.25, 1.5, -0.5, 2.0, 0.75, -1.25}));
  backward(weighted_sum(cast<float>(cast<bfloat16>(x.variable())), w));
  for (Index i = 0; i < 6; ++i) {
    auto above = clone(x.value()), below = clone(x.value());
    above.data()[i] += 0.25F, below.data()[i] -= 0.25F;
    EXPECT_EQ(x.gradient().data()[i], (loss(above) - loss(below)) / 0.5F) << i;
  }
}

TEST(Cast, ColumnsGetTheirOwnGradient) {
  auto x = leaf_of(random<float>({5, 9}, 1));
  auto const first = cast<bfloat16>(Columns<float>{x.variable(), 2}, 3),
             second = cast<bfloat16>(Columns<float>{x.variable(), 4}, 3);
  EXPECT_EQ(first.first, 0);
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 3; ++j) EXPECT_EQ(first.x.value().row(i)[j], bfloat16(x.value().row(i)[2 + j]));
  auto const dy = rounded<bfloat16, Cpu>(full({5, 3}, 1.5F));
  backward_from(first.x, clone(dy));
  backward_from(second.x, clone(dy));
  std::vector<float> const expected{0, 0, 1.5F, 1.5F, 3, 1.5F, 1.5F, 0, 0};
  for (Index i = 0; i < 5; ++i)
    for (Index j = 0; j < 9; ++j) EXPECT_EQ(x.gradient().row(i)[j], expected[static_cast<std::size_t>(j)]);
  EXPECT_NE(message_of<ShapeError>([&] {
              (void)cast<bfloat16>(Columns<float>{x.variable(), 7}, 3);
            }).find("[cast] x: got columns 7 to 10 of shape [5, 9]; expected them within its width"),
            std::string::npos);
}

TEST(Bfloat16, TheSameBitsForAnyNumberOfThreads) {
  int const before = ThreadPool::global().threads();
  auto const run = [](int threads) {
    ThreadPool::global().resize(threads);
    auto x = narrow_leaf(representable({517, 96}, 1));
    auto gain = leaf_of(random<float>({96}, 2)), w = leaf_of(random<float>({70, 96}, 3));
    auto const y = linear(rms_norm(x.variable(), gain.variable(), 1e-6), TrainableMatrix<float>{w.variable()});
    backward_from(gather_rows(y, std::vector<Index>(900, 5)), rounded<bfloat16, Cpu>(random<float>({900, 70}, 4)));
    return std::pair(x.gradient(), w.gradient());
  };
  auto const first = run(1);
  for (int const threads : {2, 3, 8}) {
    auto const again = run(threads);
    EXPECT_TRUE(same_bits(again.first, first.first) && same_bits(again.second, first.second)) << threads;
  }
  ThreadPool::global().resize(before);
}

}  // namespace
}  // namespace graft
