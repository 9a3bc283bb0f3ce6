// What rows hold before an infix never changes: it is computed apart, and may be kept from one epoch to the next.
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/core/profile.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

#include "kept_training.hpp"

namespace {

using graft::Bart, graft::Gpt2, graft::Llama, graft::T5;
using graft::EmbeddingOnly, graft::InfixTuning, graft::PrefixTuning;
using graft::Index;
using Tokens = std::vector<graft::Token>;

InfixTuning infix() { return {.length = 3, .init_deviation = 0.5, .dropout = 0.2}; }
EmbeddingOnly tokens_at_infix() { return {.length = 3, .place = graft::Place::infix}; }

graft::Batch of(std::vector<Tokens> const& rows, std::vector<Index> insertion, std::vector<Index> parent = {}) {
  graft::Batch batch;
  batch.rows.parent = std::move(parent);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    batch.tokens.insert(batch.tokens.end(), rows[r].begin(), rows[r].end());
    for (graft::Token token : rows[r]) batch.rows.positions.push_back(token);  // a token is its position here
    batch.rows.offsets.push_back(static_cast<Index>(batch.tokens.size()));
    batch.rows.examples.push_back(40 + r);
  }
  batch.rows.insertion = std::move(insertion);
  return batch;
}

TEST(DividedBatch, CutsRowsAtTheirInsertions) {
  auto batch = of({{0, 1, 2, 3, 4}, {0, 1}, {0, 1, 2}}, {3, 0, 2});
  batch.rows.adapter = {2, 0, 1};
  batch.rows.targets = {{3, 4, 6, 9}, {30, 40, 60, 90}, {1, 2, 3, 4}};
  batch.rows.training = true, batch.rows.step = 9;
  auto const divided = graft::divide_at_insertion(batch);
  ASSERT_TRUE(divided);
  auto const& [before, after, past] = *divided;
  EXPECT_EQ(before.tokens, (Tokens{0, 1, 2, 0, 1}));
  EXPECT_EQ(before.rows.offsets, (std::vector<Index>{0, 3, 5}));
  EXPECT_EQ(before.rows.positions, (std::vector<Index>{0, 1, 2, 0, 1}));
  EXPECT_EQ(before.rows.adapter, (std::vector<Index>{2, 1}));
  EXPECT_EQ(before.rows.examples, (std::vector<std::uint64_t>{40, 42}));
  EXPECT_EQ(before.rows.targets.size(), 0);
  for (Index r = 0; r < before.rows.count(); ++r)
    EXPECT_GT(before.rows.insertion[static_cast<std::size_t>(r)], before.rows.length(r)) << "no infix joins it";
  EXPECT_EQ(after.tokens, (Tokens{3, 4, 0, 1, 2}));
  EXPECT_EQ(after.rows.offsets, (std::vector<Index>{0, 2, 4, 5}));
  EXPECT_EQ(after.rows.positions, (std::vector<Index>{3, 4, 0, 1, 2}));
  EXPECT_EQ(after.rows.insertion, (std::vector<Index>{3, 0, 2}));
  EXPECT_EQ(after.rows.targets.at, (std::vector<Index>{0, 1, 3, 4}));
  EXPECT_EQ(after.rows.targets.labels, batch.rows.targets.labels);
  EXPECT_EQ(after.rows.targets.weights, batch.rows.targets.weights);
  EXPECT_TRUE(after.rows.training);
  EXPECT_EQ(after.rows.step, 9U);
  EXPECT_EQ(past, (std::vector<std::vector<Index>>{{0}, {}, {1}}));
  EXPECT_EQ(divided->earlier(0), 3);
  EXPECT_EQ(divided->earlier(1), 0);
}
/// 0 1 stands before 2 | 3 and before | 2 3; of the first goes on a row of one token.
TEST(DividedBatch, FollowsParents) {
  auto batch = of({{0, 1}, {2, 3}, {2, 3}, {4}}, {3, 3, 2, 3}, {-1, 0, 0, 1});
  batch.rows.targets = {{3, 5, 6}, {3, 5, 6}, {}};
  auto const divided = graft::divide_at_insertion(batch);
  ASSERT_TRUE(divided);
  auto const& [before, after, past] = *divided;
  EXPECT_EQ(before.tokens, (Tokens{0, 1, 2}));
  EXPECT_EQ(before.rows.parent, (std::vector<Index>{-1, 0}));
  EXPECT_EQ(after.tokens, (Tokens{3, 2, 3, 4}));
  EXPECT_EQ(after.rows.offsets, (std::vector<Index>{0, 1, 3, 4}));
  EXPECT_EQ(after.rows.parent, (std::vector<Index>{-1, -1, 0}));
  EXPECT_EQ(after.rows.targets.at, (std::vector<Index>{0, 2, 3}));
  EXPECT_EQ(past, (std::vector<std::vector<Index>>{{0, 1}, {0}, {}}));
}
TEST(DividedBatch, IsNoneWhereNothingCanBeDivided) {
  auto batch = of({{0, 1, 2}}, {2});
  batch.rows.targets.at = {1, 2};
  EXPECT_FALSE(graft::divide_at_insertion(batch)) << "a target before the insertion";
  EXPECT_FALSE(graft::divide_at_insertion(of({{0, 1}, {0}}, {0, 0}))) << "nothing before the insertions";
}

/// Each example alone has too few tokens to be divided; together they are.
template <graft::Architecture A, class Strategy>
void expect_the_gradient_of_single_examples(Strategy const& strategy, bool recompute) {
  auto model = graft::adapt(small::base<A, double>(), strategy, 3);
  ASSERT_TRUE(model.frozen_beginnings());
  small::disturb(model);
  auto const examples = sharing::references();
  sharing::Pass expected{0, {}};
  for (auto const& example : examples) {
    auto const one = sharing::pass(model, model.pack({example}), recompute);
    auto const share = static_cast<double>(example.target.size());
    expected.loss += one.loss * share;
    if (expected.gradients.empty())
      for (auto const& [name, gradient] : one.gradients)
        expected.gradients.emplace_back(name, graft::zeros<double>(gradient.shape()));
    for (std::size_t i = 0; i < one.gradients.size(); ++i)
      for (Index k = 0; k < one.gradients[i].second.size(); ++k)
        expected.gradients[i].second.data()[k] += share * one.gradients[i].second.data()[k];
  }
  double targets = 0;
  for (auto const& example : examples) targets += static_cast<double>(example.target.size());
  expected.loss /= targets;
  for (auto& [name, gradient] : expected.gradients)
    for (Index k = 0; k < gradient.size(); ++k) gradient.data()[k] /= targets;
  sharing::expect_same(sharing::pass(model, model.pack(examples), recompute), expected, "rows of their own");
  sharing::expect_same(sharing::pass(model, model.pack_shared(examples), recompute), expected, "shared rows");
  model.keep_frozen_states(std::size_t{1} << 20);
  for (int times = 0; times < 2; ++times) {
    sharing::expect_same(sharing::pass(model, model.pack(examples), recompute), expected, "kept");
    sharing::expect_same(sharing::pass(model, model.pack_shared(examples), recompute), expected, "shared, kept");
  }
}
TEST(FrozenBeginnings, GiveTheGradientOfSingleExamples) {
  for (bool const recompute : {false, true}) {
    expect_the_gradient_of_single_examples<Llama>(infix(), recompute);
    expect_the_gradient_of_single_examples<Gpt2>(infix(), recompute);
    expect_the_gradient_of_single_examples<Gpt2>(tokens_at_infix(), recompute);
    expect_the_gradient_of_single_examples<Llama>(tokens_at_infix(), recompute);
  }
}

/// Multiplications and additions of the products of a pass and its reverse.
template <class Model>
double operations(Model& model, graft::Batch const& batch) {
  graft::clear_profile();
  graft::profile();
  static_cast<void>(sharing::pass(model, batch));
  graft::profile(false);
  double operations = 0;
  for (auto const& kernel : graft::profiled())
    if (kernel.name.find("product") != std::string::npos) operations += kernel.operations;
  return operations;
}
/// The reverse pass goes through the tokens behind the infix alone, the forward pass through all.
TEST(FrozenBeginnings, HaveNoReversePass) {
  auto model = graft::adapt(small::base<Llama, double>(), infix(), 3);
  auto const batch = model.pack(sharing::references());
  double alone = 0;
  for (auto const& example : sharing::references()) alone += operations(model, model.pack({example}));
  ASSERT_GT(alone, 0);
  EXPECT_LT(operations(model, batch), 0.8 * alone);
  model.keep_frozen_states(std::size_t{1} << 20);
  double const first = operations(model, batch);
  EXPECT_LT(operations(model, batch), 0.6 * first) << "beginnings are there";
}

TEST(FrozenBeginnings, GiveTheSameTrainingWhenTheyAreKept) {
  sharing::expect_the_same_when_kept<Llama>(infix(), sharing::references());
  sharing::expect_the_same_when_kept<Gpt2>(tokens_at_infix(), sharing::references());
}
/// An encoder to whose rows a strategy adds nothing stays as it is.
TEST(FrozenBeginnings, OfAnEncoderAreItsStates) {
  sharing::expect_the_same_when_kept<Bart>(infix(), sharing::references());
  sharing::expect_the_same_when_kept<T5>(infix(), sharing::references());
  sharing::expect_the_same_when_kept<Bart>(PrefixTuning{.length = 3, .scope = graft::PrefixScope::decoder},
                                           sharing::references());
  auto const layers = [](auto const& strategy) {
    return graft::adapt(small::base<Bart, double>(), strategy).frozen_layers();
  };
  auto model = graft::adapt(small::base<Bart, double>(), infix());
  model.keep_frozen_states(std::size_t{1} << 20);
  auto const batch = model.pack(sharing::references());
  static_cast<void>(sharing::pass(model, batch));
  EXPECT_GT(model.kept_bytes(), static_cast<std::size_t>(model.info().width) * sizeof(double));
  EXPECT_LT(model.kept_bytes(), static_cast<std::size_t>(batch.source.tokens() * model.info().width) * sizeof(double))
      << "equal sources once";
  EXPECT_EQ(layers(infix()), 2);
  EXPECT_EQ(layers(PrefixTuning{.length = 3}), 0);
  EXPECT_EQ(layers(EmbeddingOnly{.length = 3}), 0) << "its tokens join the encoder's rows";
  EXPECT_EQ(layers(EmbeddingOnly{.length = 3, .side = graft::Side::target}), 2);
}

/// Banks count even where a strategy does not announce them.
struct HiddenPrefix {
  static constexpr char const* name = "hidden_prefix";
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
  template <class Scalar, class Device>
  struct State : InfixTuning::State<Scalar, Device> {
    using Infix = InfixTuning::State<Scalar, Device>;
    State(HiddenPrefix const&, graft::ModelInfo const& model, graft::BaseAccess<Scalar, Device> const& base,
          graft::RandomKey key)
        : Infix(infix(), model, base, key) {}
    void virtual_keys_values(graft::LayerAddress at, graft::AttentionKind kind, graft::BankList<Scalar, Device>& banks,
                             typename Infix::Step const& step) const {
      Infix::virtual_keys_values(at, kind, banks, step);
      auto front = banks.back();
      front.place = graft::Place::front;
      banks.push_back(front);
    }
  };
};
TEST(FrozenBeginnings, AreNoneBehindABank) {
  auto model = graft::adapt(small::base<Llama, double>(), HiddenPrefix{}, 3);
  auto const batch = model.pack(sharing::references());
  graft::NoGrad const no_grad;
  auto const plain = graft::clone(model.scores(batch).log_probability.value());
  model.keep_frozen_states(std::size_t{1} << 20);
  auto const again = model.scores(batch).log_probability.value();
  EXPECT_EQ(model.kept_bytes(), 0U);
  for (Index i = 0; i < plain.size(); ++i) EXPECT_EQ(again.data()[i], plain.data()[i]);
}
/// In bfloat16, too, rows come to what they come to alone.
TEST(FrozenBeginnings, HaveActivationsInBfloat16) {
  auto model = graft::adapt<graft::Bfloat16>(small::base<Llama, float>(), infix(), 3);
  ASSERT_TRUE(model.frozen_beginnings());
  graft::NoGrad const no_grad;
  auto const examples = sharing::references();
  model.keep_frozen_states(std::size_t{1} << 20);
  auto const together = model.scores(model.pack(examples)).log_probability.value();
  EXPECT_GT(model.kept_bytes(), 0U);
  model.keep_frozen_states(0);
  Index at = 0;
  for (auto const& example : examples) {
    auto const alone = model.scores(model.pack({example})).log_probability.value();
    for (Index i = 0; i < alone.size(); ++i) EXPECT_NEAR(together.data()[at++], alone.data()[i], 0.02);
  }
}

/// What is kept of a source is not computed again, whatever became of its tokens' embeddings.
TEST(FrozenBeginnings, AreNotComputedAgain) {
  auto const base = std::make_shared<graft::Pretrained<Llama, double>>(*small::base<Llama, double>());
  auto model = graft::adapt(graft::Base<Llama, double>(base), infix());
  std::vector<graft::TokenizedExample> const examples{{.source = {5, 4, 4, 9, 6}, .target = {7, 8}, .id = 0}};
  graft::NoGrad const no_grad;
  auto const scores = [&] { return graft::clone(model.scores(model.pack(examples)).log_probability.value()); };
  auto const plain = scores();
  model.keep_frozen_states(std::size_t{1} << 20);
  auto const first = scores();
  EXPECT_EQ(model.kept_bytes(), model.bytes_to_keep(examples[0]));
  Index const width = 2 * model.info().main().layers * model.config().kv_width();
  EXPECT_EQ(model.kept_bytes(), static_cast<std::size_t>(4 * width) * sizeof(double) + 256);
  auto& embeddings = base->mutable_at({graft::Site::token_embedding});
  auto changed = graft::clone(embeddings.matrix.dense());
  for (Index i = 0; i < changed.width(); ++i) changed.row(4)[i] *= 3;  // of a token of the source alone
  embeddings.matrix = graft::FrozenMatrix<double>(changed);
  auto const again = scores();
  model.keep_frozen_states(0);
  auto const anew = scores();
  bool differs = false;
  for (Index i = 0; i < plain.size(); ++i) {
    EXPECT_NEAR(first.data()[i], plain.data()[i], 1e-12);
    EXPECT_EQ(again.data()[i], first.data()[i]);
    differs = differs || std::abs(anew.data()[i] - plain.data()[i]) > 1e-6;
  }
  EXPECT_TRUE(differs);
}
TEST(FrozenBeginnings, AreNoneOfOtherStrategies) {
  auto const begins = [](auto const& base, auto const& strategy) {
    return graft::adapt(base, strategy).frozen_beginnings();
  };
  auto const llama = small::base<Llama, double>();
  EXPECT_TRUE(begins(llama, infix()));
  EXPECT_FALSE(begins(llama, PrefixTuning{.length = 2}));
  EXPECT_FALSE(begins(llama, EmbeddingOnly{.length = 2})) << "its tokens stand in front";
  EXPECT_FALSE(begins(small::base<Bart, double>(), infix())) << "a decoder's rows hold no source";
  auto model = graft::adapt(llama, infix());
  model.enable(false);
  EXPECT_FALSE(model.frozen_beginnings());
}

}  // namespace
