// The programs of docs/concepts.md.
#include <graft/graft.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>

#include "docs/tiny_model.hpp"

namespace {

class Concepts : public docs::Docs {};

TEST_F(Concepts, PackedRows) {
  //! [rows]
  graft::Batch batch = graft::pack(
      {{.source = {11, 12, 13}, .target = {21, 22}, .id = 0}, {.source = {14}, .target = {23, 24, 25}, .id = 1}});
  // batch.tokens               11 12 13 21 | 14 23 24     nothing is padded; the last target token is never read
  // batch.rows.offsets         0             4          7
  // batch.rows.positions        0  1  2  3 |  0  1  2
  // batch.rows.targets.at             2  3    4  5  6     packed indices of the states that predict a target token
  // batch.rows.targets.labels        21 22   23 24 25     and what they predict
  // batch.rows.insertion              2       0           infix activations stand before this token of the row
  //! [rows]
  EXPECT_EQ(batch.tokens, (std::vector<graft::Token>{11, 12, 13, 21, 14, 23, 24}));
  EXPECT_EQ(batch.rows.offsets, (std::vector<graft::Index>{0, 4, 7}));
  EXPECT_EQ(batch.rows.positions, (std::vector<graft::Index>{0, 1, 2, 3, 0, 1, 2}));
  EXPECT_EQ(batch.rows.targets.at, (std::vector<graft::Index>{2, 3, 4, 5, 6}));
  EXPECT_EQ(batch.rows.targets.labels, (std::vector<graft::Token>{21, 22, 23, 24, 25}));
  EXPECT_EQ(batch.rows.insertion, (std::vector<graft::Index>{2, 0}));

  //! [scores]
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 4});
  auto scores = model.scores(batch);                          // log p of the five labels; no logits are formed
  graft::Tensor<float> logits = model.logits(batch).value();  // [5, vocabulary]: at the targets alone
  //! [scores]
  EXPECT_EQ(scores.log_probability.shape(), graft::Shape{5});
  EXPECT_EQ(logits.shape(), (graft::Shape{5, small::first_free}));
  graft::Tape::current().discard();
}

TEST_F(Concepts, FrozenIsAType) {
  graft::RandomKey const key(3);
  //! [frozen]
  graft::FrozenMatrix<float> frozen(graft::normal<float>(graft::Shape{4, 3}, key));
  graft::Parameter<float> weight("weight", graft::normal<float>(graft::Shape{4, 3}, key));
  graft::Variable<float> x(graft::normal<float>(graft::Shape{2, 3}, key));  // a constant: nobody wants its gradient

  auto y = graft::linear(x, frozen);                                            // nothing to record
  auto z = graft::linear(x, graft::TrainableMatrix<float>{weight.variable()});  // recorded: dW = dzᵀ·x
  //! [frozen]
  EXPECT_TRUE(!y.tracked() && z.tracked() && graft::Tape::current().size() == 1);
  graft::Tape::current().discard();
}

TEST_F(Concepts, Tape) {
  //! [tape]
  graft::Parameter<double> w("w", graft::tensor_of<double>(graft::Shape{3}, std::vector{1.0, 2.0, 3.0}));
  auto const loss = graft::sum(graft::multiply(w.variable(), w.variable()));  // Σ w²: two closures are on the tape
  graft::backward(loss);                                                      // runs them, last first, and frees each
  double const slope = w.gradient().data()[2];                                // 2w = 6
  {
    graft::NoGrad no_grad;  // while it lives nothing is recorded: evaluation, generation
    auto const constant = graft::sum(w.variable());
    std::cout << (constant.tracked() ? "on the tape" : "a constant") << '\n';
  }
  //! [tape]
  EXPECT_EQ(slope, 6.0);
  graft::NoGrad const no_grad;
  EXPECT_FALSE(graft::sum(w.variable()).tracked());
  EXPECT_EQ(graft::Tape::current().size(), 0U);
}

TEST_F(Concepts, Precision) {
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  //! [precision]
  auto model = graft::adapt(base, graft::PrefixTuning{.length = 5});  // Float32, the type of the base's numbers
  auto small = graft::adapt<graft::Bfloat16>(base, graft::PrefixTuning{.length = 5});  // activations in bfloat16
  auto same = graft::with_precision<graft::Bfloat16>(model);                           // both train one adapter
  //! [precision]
  graft::NoGrad const no_grad;
  graft::Batch const batch = graft::pack({{.source = {1, 2, 3}, .target = {4}}});
  auto const a = small.logits(batch).value(), b = same.logits(batch).value(), c = model.logits(batch).value();
  EXPECT_TRUE(std::equal(a.data(), a.data() + a.size(), b.data()));
  EXPECT_FALSE(std::equal(a.data(), a.data() + a.size(), c.data()));
}

TEST_F(Concepts, OneBaseManyModels) {
  //! [base]
  auto base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  auto prefix = graft::adapt(base, graft::PrefixTuning{.length = 5});
  auto lora = graft::adapt(base, graft::LoRA{.rank = 4});  // the weights are there once
  prefix.enable(false);                                    // now it is the base model, bit for bit
  //! [base]
  EXPECT_EQ(prefix.base(), lora.base());
  EXPECT_EQ(base.use_count(), 3);
  graft::NoGrad const no_grad;
  auto none = graft::adapt(base, graft::NoAdaptation{});
  graft::Batch const batch = graft::pack({{.source = {1, 2, 3}, .target = {4}}});
  auto const a = prefix.logits(batch).value(), b = none.logits(batch).value();
  EXPECT_TRUE(std::equal(a.data(), a.data() + a.size(), b.data()));
}

TEST_F(Concepts, AttentionOverSegments) {
  using Columns = graft::Columns<double>;
  graft::RandomKey const key(5);
  auto const random = [&](graft::Index rows, graft::Index width, char const* what) {
    return graft::normal<double>(graft::Shape{rows, width}, key.with(what));
  };
  graft::Variable<double> const q(random(5, 16, "q")), k(random(5, 8, "k")), v(random(5, 8, "v"));
  graft::Parameter<double> prefix_keys("keys", random(4, 8, "pk")), prefix_values("values", random(4, 8, "pv"));
  //! [attention]
  // Rows of 3 and 2 tokens. Both see a prefix of 4 keys and values that is stored once, then their own tokens up to the
  // query.
  graft::SegmentTable plan;
  plan.query_offsets = {0, 3, 5};
  plan.segment_offsets = {0, 2, 4};
  plan.segments = {{.source = 1, .length = 4},
                   {.source = 0, .begin = 0, .length = 3, .causal = true},
                   {.source = 1, .length = 4},
                   {.source = 0, .begin = 3, .length = 2, .causal = true}};
  graft::AttentionShape const shape{.heads = 2, .kv_heads = 1, .head_dim = 8, .scale = 1 / std::sqrt(8.0)};
  std::vector<graft::AttentionSource<double>> const sources{
      {{k, 0}, {v, 0}}, {{prefix_keys.variable(), 0}, {prefix_values.variable(), 0}}};
  auto const y =
      graft::attention(Columns{q, 0}, sources, std::make_shared<graft::CheckedSegments const>(plan), shape);  // [5, 16]
  //! [attention]
  auto const result = graft::gradcheck(
      [&] {
        return graft::attention(Columns{q, 0}, sources, std::make_shared<graft::CheckedSegments const>(plan), shape);
      },
      {prefix_keys, prefix_values});
  EXPECT_TRUE(result.passed) << result.message;
  graft::Tape::current().discard();

  graft::SegmentTable alone;  // the second row by itself
  alone.query_offsets = {0, 2};
  alone.segment_offsets = {0, 2};
  alone.segments = {{.source = 1, .length = 4}, {.source = 0, .begin = 3, .length = 2, .causal = true}};
  graft::NoGrad const no_grad;
  auto const one = graft::attention(Columns{graft::Variable<double>(q.value().slice(3, 5)), 0}, sources,
                                    std::make_shared<graft::CheckedSegments const>(alone), shape)
                       .value();
  EXPECT_TRUE(std::equal(one.data(), one.data() + one.size(), y.value().row(3)));
}

}  // namespace
