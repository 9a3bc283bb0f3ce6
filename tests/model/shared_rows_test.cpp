// Examples that share what they have in common: losses and gradients are those of rows of their own.
#include <graft/models/bart.hpp>
#include <graft/models/t5.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/train/trainer.hpp>

#include "adapter_table.hpp"
#include "generate/adaptations.hpp"

namespace {

using graft::Bart;
using graft::Batch;
using graft::Gpt2;
using graft::Index;
using graft::Llama;
using graft::T5;
using graft::TokenizedExample;
using Tokens = std::vector<graft::Token>;

Tokens random_tokens(Index count, std::uint64_t seed) {
  Tokens tokens;
  for (Index i = 0; i < count; ++i)
    tokens.push_back(static_cast<graft::Token>(3 + graft::RandomKey(seed).below(static_cast<std::uint64_t>(i), 20)));
  return tokens;
}
Tokens joined(Tokens a, Tokens const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Four references of one source, two of another that begins like it, one of a third that does, one of one token, one
/// that is like no other; mixed.
std::vector<TokenizedExample> references() {
  Tokens const beginning = random_tokens(9, 1), first = joined(beginning, random_tokens(6, 2)),
               second = joined(beginning, random_tokens(4, 3)), third = joined(beginning, random_tokens(1, 4));
  std::vector<TokenizedExample> examples;
  auto const add = [&](Tokens const& source, Index target) {
    auto const number = examples.size();
    examples.push_back({source, random_tokens(target, 50 + number), number + 7});
  };
  add(first, 3), add(second, 1), add({5}, 4), add(first, 6), add(first, 1), add(random_tokens(5, 9), 2), add(third, 3);
  add(second, 5), add(first, 2);
  return examples;
}

struct Pass {
  double loss;
  std::vector<std::pair<std::string, graft::Tensor<double>>> gradients;
};
template <class Model>
Pass pass(Model& model, Batch batch, bool recompute = false) {
  batch.rows.training = true, batch.rows.step = 2, batch.rows.recompute = recompute;
  auto const loss = small::loss(model, batch);
  Pass result{*loss.value().data(), {}};
  if (model.parameters().empty()) return result;
  graft::backward(loss);
  for (auto* parameter : model.parameters()) {
    if (!parameter->has_gradient()) continue;
    result.gradients.emplace_back(parameter->name(), graft::clone(parameter->gradient()));
    parameter->clear_gradient();
  }
  return result;
}
void expect_same(Pass const& got, Pass const& expected, std::string const& name) {
  EXPECT_NEAR(got.loss, expected.loss, 1e-12) << name;
  ASSERT_EQ(got.gradients.size(), expected.gradients.size()) << name;
  double largest = 0;  // key biases of BART have a gradient of rounding alone
  for (auto const& [parameter, gradient] : expected.gradients)
    for (Index k = 0; k < gradient.size(); ++k) largest = std::max(largest, std::abs(gradient.data()[k]));
  for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
    auto const& [parameter, right] = expected.gradients[i];
    auto const& [other, found] = got.gradients[i];
    ASSERT_EQ(other, parameter) << name;
    double worst = 0;
    for (Index k = 0; k < right.size(); ++k)
      worst = graft::testing::worse(worst, std::abs(found.data()[k] - right.data()[k]));
    EXPECT_LE(worst, 1e-12 * largest) << name << ", " << parameter;
  }
}
template <class Model>
void expect_sharing_changes_nothing(Model& model, std::vector<TokenizedExample> const& examples,
                                    std::string const& name) {
  Batch const apart = model.pack(examples), shared = model.pack_shared(examples);
  EXPECT_LT(shared.rows.tokens() + shared.source.tokens(), apart.rows.tokens() + apart.source.tokens()) << name;
  EXPECT_EQ(shared.rows.targets.labels, apart.rows.targets.labels) << name;
  auto const expected = pass(model, apart);
  expect_same(pass(model, shared), expected, name);
  expect_same(pass(model, shared, true), expected, name + ", recomputed");
}

TEST(SharedRows, HoldEveryCommonBeginningOnce) {
  Batch const batch = graft::pack_causal_shared(references());
  ASSERT_EQ(batch.rows.count(), 2 + 9);
  EXPECT_EQ(batch.rows.parent, (std::vector<Index>{-1, 0, 1, 0, -1, 1, 1, -1, 0, 0, 1}));
  EXPECT_EQ(batch.rows.length(0), 9);
  EXPECT_EQ(batch.rows.length(1), 5) << "the last source token is each example's own";
  EXPECT_EQ(batch.rows.positions[9], 9) << "goes on from its parent";
  EXPECT_TRUE(graft::pack_causal_shared({references()[0]}).rows.parent.empty());
  Batch const pair = graft::pack_encoder_decoder_shared(references(), 1);
  EXPECT_EQ(pair.source.count(), 5);
  EXPECT_EQ(pair.source_of, (std::vector<Index>{0, 1, 2, 0, 0, 3, 4, 1, 0}));
}

template <graft::Architecture A>
void check_all_adaptations() {
  graft::testing::each_adaptation<A>(
      [](auto& model, std::string const& name) { expect_sharing_changes_nothing(model, references(), name); });
}
TEST(SharedRows, HaveTheGradientsOfRowsOfTheirOwnInGpt2) { check_all_adaptations<Gpt2>(); }
TEST(SharedRows, HaveTheGradientsOfRowsOfTheirOwnInLlama) { check_all_adaptations<Llama>(); }

template <graft::Architecture A>
void check_pairs() {
  auto const run = [](auto const& settings, std::string const& name) {
    auto model = graft::adapt(small::base<A, double>(), settings, 3);
    small::disturb(model);
    expect_sharing_changes_nothing(model, references(), name);
  };
  std::string const type(A::model_type);
  run(graft::PrefixTuning{.length = 2}, type + " prefix");
  run(graft::InfixTuning{.length = 2}, type + " infix");
  run(graft::PromptTuning{.length = 2, .side = graft::Side::both}, type + " prompt");
  run(graft::LoRA{.rank = 2}, type + " LoRA");
  run(graft::BottleneckAdapter{.bottleneck = 3}, type + " adapter");
  run(graft::FullFineTuning{}, type + " full");
}
TEST(SharedRows, HaveTheGradientsOfRowsOfTheirOwnInEncoderDecoders) {
  check_pairs<T5>();
  check_pairs<Bart>();
}

TEST(SharedRows, KeepAdaptersOfATableApart) {
  tables::Table<Llama, double> table;
  table.add(graft::PrefixTuning{.length = 2});
  table.add(graft::LoRA{.rank = 2});
  table.add(graft::PromptTuning{.length = 3});
  auto examples = references();
  for (std::size_t i = 0; i < examples.size(); ++i) {
    for (auto* tokens : {&examples[i].source, &examples[i].target})
      for (auto& token : *tokens) token %= 31;
    examples[i].adapter = static_cast<Index>(i % 4) - 1;
  }
  for (std::size_t i = 0; i < 4; ++i) examples.push_back(examples[8 - i]), examples.back().id = 30 + i;
  expect_sharing_changes_nothing(table.model, examples, "table");
}

/// Dropout draws other numbers for every row, those of beginnings included.
TEST(SharedRows, HaveRandomNumbersOfTheirOwn) {
  auto const batch = graft::pack_causal_shared(references());
  auto examples = batch.rows.examples;
  std::sort(examples.begin(), examples.end());
  EXPECT_EQ(std::unique(examples.begin(), examples.end()), examples.end());
  auto model = graft::adapt(small::base<Llama, double>(), graft::LoRA{.rank = 2, .dropout = 0.4}, 3);
  small::disturb(model);
  expect_same(pass(model, batch), pass(model, batch, true), "recomputed");
  EXPECT_GT(std::abs(pass(model, batch).loss - pass(model, model.pack(references())).loss), 1e-6);
}

/// Steps that see all examples do not depend on their order: the parameters end where they do without sharing.
template <graft::Architecture A>
void check_training() {
  auto const trained = [](bool share) {
    auto model = graft::adapt(small::base<A, double>(), graft::LoRA{.rank = 2}, 3);
    small::disturb(model);
    graft::Training settings{.epochs = 3, .batch = 3, .accumulate = 3, .max_tokens = 30, .share_sources = share};
    settings.learning_rate = 1e-2, settings.epsilon = 1e-3, settings.progress = false;
    auto const report = graft::Trainer(settings).fit(model, references(), references());
    std::vector<double> numbers;
    for (auto const& step : report.steps) numbers.push_back(step.loss);
    for (auto const& validation : report.validations) numbers.push_back(validation.loss);
    for (auto const* parameter : model.parameters())
      numbers.insert(numbers.end(), parameter->value().data(), parameter->value().data() + parameter->value().size());
    return numbers;
  };
  auto const got = trained(true), expected = trained(false);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-9) << A::model_type << ", " << i;
}
TEST(SharedRows, TrainToTheSameParameters) {
  check_training<Llama>();
  check_training<Bart>();
}

}  // namespace
