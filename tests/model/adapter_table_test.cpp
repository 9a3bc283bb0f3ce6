// Rows that choose among the adapters of one model: each computes what a model with its adapter alone computes.
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/generate/generate.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/train/trainer.hpp>

#include "adapter_table.hpp"

namespace {

using graft::AdapterPlacement, graft::BottleneckAdapter, graft::EmbeddingOnly, graft::IA3, graft::InfixTuning,
    graft::LoRA, graft::Mlp, graft::ParallelAdapter, graft::PrefixTuning, graft::PromptTuning, graft::PTuning;
using graft::Gpt2, graft::Index, graft::Token;
using tables::Table;

/// 16 adapters of 5 kinds.
template <class Scalar>
Table<Gpt2, Scalar> sixteen() {
  Table<Gpt2, Scalar> table;
  for (Index i = 0; i < 3; ++i) {
    table.add(PrefixTuning{.length = 1 + i,
                           .reparametrization = i == 1 ? std::optional(Mlp{.hidden = 4}) : std::nullopt,
                           .dropout = i == 2 ? 0.3 : 0.0});
    table.add(PromptTuning{.length = 2 + i,
                           .positions = i == 0 ? graft::PositionPolicy::keep : graft::PositionPolicy::shift});
    table.add(LoRA{.rank = 1 + i,
                   .targets = i == 2 ? std::vector<std::string>{"c_proj", "c_fc"} : std::vector<std::string>{},
                   .dropout = i == 1 ? 0.4 : 0.0});
    table.add(BottleneckAdapter{.bottleneck = 3, .placement = static_cast<AdapterPlacement>(i)});
    table.add(IA3{});
  }
  table.add(LoRA{.rank = 2});
  return table;
}

TEST(AdapterTable, SixteenRowsWithSixteenAdaptersAreThoseOfTheirOwnModels) {
  auto table = sixteen<double>();
  ASSERT_EQ(table.model.state().size(), 16);
  for (bool const training : {false, true})
    for (bool const recompute : {false, true})
      tables::check_against_alone(table, tables::a_row_each<Gpt2>(16), training, recompute, 1e-12);
}
TEST(AdapterTable, SourcesAreSharedByRowsOfOneAdapter) {
  auto table = sixteen<double>();
  auto examples = sharing::references();
  auto const count = examples.size();
  for (std::size_t i = 0; i < count; ++i) {
    examples[i].adapter = static_cast<Index>(i % 5) - 1;
    examples.push_back(examples[i]);  // each at least twice
    examples.back().id += 100;
  }
  sharing::changes_nothing(table.model, "table", examples);
}
TEST(AdapterTable, InFloatToo) {
  auto table = sixteen<float>();
  tables::check_against_alone(table, tables::a_row_each<Gpt2>(16), true, false, 2e-5);
}
TEST(AdapterTable, OtherKindsSeveralRowsOfOneAndRowsWithoutAny) {
  Table<Gpt2, double> table;
  table.add(InfixTuning{.length = 2});
  table.add(EmbeddingOnly{.length = 3, .place = graft::Place::infix});
  table.add(PTuning{.length = 3, .encoder = graft::PromptEncoderKind::lstm, .hidden = 5});
  table.add(ParallelAdapter{.bottleneck = 3, .placement = graft::ParallelPlacement::both});
  table.add(graft::compose(PrefixTuning{.length = 2}, LoRA{.rank = 2}));
  std::vector<graft::TokenizedExample> examples;
  for (Index r = 0; r < 11; ++r)
    examples.push_back(
        tables::example<Gpt2>(static_cast<std::uint64_t>(r),
                              std::vector<Index>{3, -1, 0, 4, 4, 1, 3, 0, -1, 1, 0}[static_cast<std::size_t>(r)],
                              static_cast<int>(2 + r % 4), static_cast<int>(1 + r % 3)));
  tables::check_against_alone(table, examples, false, false, 1e-12);  // nobody has adapter 2
  examples[1].adapter = 2;
  tables::check_against_alone(table, examples, true, true, 1e-12);
  auto const batch = table.model.pack(examples);
  auto plain = graft::adapt(table.base, graft::NoAdaptation{});
  auto const together = invariants::logits_of(table.model, batch),
             base = invariants::logits_of(plain, plain.pack({examples[8]}));
  EXPECT_LE(tables::relative_difference(base, together.row(batch.rows.begin(8))), 1e-12) << "a row without an adapter";
}

/// Where all rows have one adapter, nothing is taken apart: the same bits, gradients too.
template <class Settings>
void check_bits(Settings const& settings) {
  Table<Gpt2, float> table;
  table.add(PrefixTuning{.length = 2});
  table.add(settings);
  std::vector<graft::TokenizedExample> examples;
  for (std::uint64_t r = 0; r < 5; ++r)
    examples.push_back(tables::example<Gpt2>(r, 1, static_cast<int>(3 + r), static_cast<int>(1 + r % 3)));
  auto batch = table.model.pack(examples);
  batch.rows.training = true;
  EXPECT_TRUE(invariants::same_bits(invariants::logits_of(table.model, batch), table.alone[1].logits(batch)))
      << table.alone[1].name;
  graft::backward(tables::sum_of_losses(table.model, batch));
  auto const found = table.gradients_of(1), expected = table.alone[1].gradients(batch);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t p = 0; p < found.size(); ++p)
    EXPECT_TRUE(invariants::same_bits(found[p], expected[p])) << table.alone[1].name << ", parameter " << p;
}
TEST(AdapterTable, OneAdapterInAllRowsIsItsOwnModelBitForBit) {
  check_bits(PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 4}, .dropout = 0.2});
  check_bits(PromptTuning{.length = 3});
  check_bits(LoRA{.rank = 3, .dropout = 0.2});
  check_bits(BottleneckAdapter{.bottleneck = 3, .placement = AdapterPlacement::houlsby});
  check_bits(IA3{});
}

TEST(AdapterTable, ARemovedAdapterChangesNoOtherRowsBits) {
  auto table = sixteen<float>();
  auto examples = tables::a_row_each<Gpt2>(16);
  std::erase_if(examples, [](auto const& example) { return example.adapter == 5 || example.adapter == 12; });
  auto const batch = table.model.pack(examples);
  auto const gradients = [&] {
    graft::backward(tables::sum_of_losses(table.model, batch));
    auto result = table.gradients_of(4);
    table.clear_gradients();
    return result;
  };
  auto const before = invariants::logits_of(table.model, batch);
  auto const gradients_before = gradients();
  graft::remove_adapter(table.model, 5);
  graft::remove_adapter(table.model, 12);
  EXPECT_EQ(table.model.state().size(), 14);
  EXPECT_TRUE(invariants::same_bits(before, invariants::logits_of(table.model, batch)));
  auto const gradients_after = gradients();
  for (std::size_t p = 0; p < gradients_before.size(); ++p)
    EXPECT_TRUE(invariants::same_bits(gradients_before[p], gradients_after[p]));
  EXPECT_EQ(graft::add_adapter(table.model, LoRA{.rank = 2}), 16) << "numbers are not given again";
  EXPECT_TRUE(invariants::same_bits(before, invariants::logits_of(table.model, batch)));
}
TEST(AdapterTable, APreparedStepKeepsWhatItWasPreparedWith) {
  auto table = sixteen<double>();
  auto batch = table.model.pack(tables::a_row_each<Gpt2>(16));
  batch.rows.recompute = true;
  graft::backward(tables::sum_of_losses(table.model, batch));
  auto const expected = table.gradients_of(3);
  table.clear_gradients();
  auto const loss = tables::sum_of_losses(table.model, batch);
  auto const logits = table.model.logits(batch).value();
  auto const numbers = table.model.prepare({.adapters = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}});
  graft::remove_adapter(table.model, 5);
  EXPECT_TRUE(invariants::same_bits(table.model.logits(batch, numbers).value(), logits));
  graft::backward(loss);
  auto const found = table.gradients_of(3);
  for (std::size_t p = 0; p < found.size(); ++p) EXPECT_TRUE(invariants::same_bits(expected[p], found[p]));
}

template <class Settings>
void check_generation(Table<Gpt2, double>& table, std::vector<Index> const& adapters, Settings settings) {
  std::vector<std::vector<Token>> prompts;
  for (std::size_t p = 0; p < adapters.size(); ++p)
    prompts.push_back(tables::example<Gpt2>(p % 2, 0, static_cast<int>(3 + p % 3), 1).source);
  settings.adapters = adapters;
  auto const together = graft::generate(table.model, prompts, settings, 6);
  ASSERT_EQ(together.size(), prompts.size());
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    settings.first_prompt = static_cast<Index>(p);
    settings.adapters = {adapters[p]};
    auto const alone = graft::generate(table.model, {prompts[p]}, settings);
    ASSERT_EQ(together[p].size(), alone[0].size());
    for (std::size_t t = 0; t < alone[0].size(); ++t) {
      EXPECT_EQ(together[p][t].tokens, alone[0][t].tokens) << "prompt " << p;
      EXPECT_NEAR(together[p][t].score, alone[0][t].score, 1e-10);
    }
  }
}
TEST(AdapterTable, EveryPromptIsContinuedWithItsAdapter) {
  Table<Gpt2, double> table;
  table.add(PrefixTuning{.length = 2});
  table.add(PromptTuning{.length = 3});
  table.add(LoRA{.rank = 2});
  table.add(BottleneckAdapter{.bottleneck = 3});
  table.add(IA3{});
  table.add(InfixTuning{.length = 2});
  std::vector<Index> const adapters{4, 0, -1, 1, 5, 2, 3, 1, 0};
  check_generation(table, adapters, graft::Greedy{.max_new_tokens = 8});
  check_generation(table, adapters, graft::BeamSearch{.max_new_tokens = 7, .beams = 3, .sequences = 2});
  check_generation(table, adapters, graft::Sampling{.max_new_tokens = 7, .seed = 4, .sequences = 2});

  // against a model of its own, and against running the whole text through the table without a cache
  auto const prompt = tables::example<Gpt2>(3, 0, 5, 1).source;
  for (Index number = 0; number < 6; ++number) {
    auto const text = graft::generate(table.model, {prompt, prompt},
                                      graft::Greedy{.max_new_tokens = 6, .adapters = {number, -1}})[0][0]
                          .tokens;
    graft::TokenizedExample whole{.source = prompt, .target = text, .id = 0, .adapter = number};
    auto const batch = table.model.pack({whole});
    auto const logits = table.alone[static_cast<std::size_t>(number)].logits(batch);
    for (std::size_t i = 0; i < text.size(); ++i) {
      double const* row = logits.row(static_cast<Index>(prompt.size() + i) - 1);
      EXPECT_EQ(std::max_element(row, row + logits.width()) - row, text[i])
          << table.alone[static_cast<std::size_t>(number)].name << ", token " << i;
    }
  }
}

/// What attention reads of the table's virtual keys and values in a layer.
struct Seen {
  std::vector<graft::AttentionSource<double>> sources;
  graft::BankSegments banks;
};
[[nodiscard]] Seen seen_in(Table<Gpt2, double> const& table, int layer) {
  auto const prepared = table.model.prepare();
  graft::BankList<double, graft::Cpu> banks;
  prepared.state->virtual_keys_values({graft::Stack::decoder, layer}, graft::AttentionKind::self, banks, prepared.step);
  Seen seen;
  seen.banks = graft::add_sources(banks, seen.sources);
  return seen;
}
TEST(AdapterTable, ManyPrefixesAreRowsOfOneSource) {
  Table<Gpt2, double> table;
  for (Index i = 0; i < 64; ++i)
    table.add(PrefixTuning{.length = 1 + i % 3,
                           .reparametrization = i == 5 ? std::optional(Mlp{.hidden = 4}) : std::nullopt,
                           .dropout = i == 9 ? 0.3 : 0.0});
  for (int layer = 0; layer < static_cast<int>(table.model.config().layers); ++layer) {
    Seen const seen = seen_in(table, layer);
    ASSERT_EQ(seen.sources.size(), 1u);
    ASSERT_EQ(seen.banks.size(), 64u);
    Index end = 0;
    for (auto const& bank : seen.banks) {
      EXPECT_EQ(bank.source, 0);
      EXPECT_EQ(bank.begin, end);
      end += bank.count;
    }
    EXPECT_EQ(seen.sources[0].keys.x.rows(), end);
  }
  for (bool const training : {false, true})
    tables::check_against_alone(table, tables::a_row_each<Gpt2>(64), training, training, 1e-12);
}
TEST(AdapterTable, BanksOfAllKindsShareASourceWhereTheirMatricesAreAlike) {
  Table<Gpt2, double> table;
  table.add(PrefixTuning{.length = 2});
  table.add(graft::compose(PrefixTuning{.length = 3}, LoRA{.rank = 2}));
  table.add(PrefixTuning{.length = 1, .layers = {1}});
  table.add(InfixTuning{.length = 4});
  table.add(PromptTuning{.length = 2});
  EXPECT_EQ(seen_in(table, 0).sources.size(), 1u);
  EXPECT_EQ(seen_in(table, 0).banks.size(), 3u);
  EXPECT_EQ(seen_in(table, 1).sources.size(), 2u) << "a matrix of one layer alone is narrower";
  EXPECT_EQ(seen_in(table, 1).banks.size(), 4u);
  tables::check_against_alone(table, tables::a_row_each<Gpt2>(5), false, false, 1e-12);
}

TEST(SegmentTables, AreMadeOnceForBanksAtTheSameRows) {
  graft::SegmentTables tables;
  int made = 0;
  auto const ask = [&](graft::Attending which, Index begin) {
    graft::BankSegments const banks{{1, begin, 2, graft::Place::front, graft::Additions::every_row}};
    return tables.at(which, banks, [&] {
      ++made;
      return graft::SegmentTable{{0, 1}, {0, 1}, {{1, begin, 2, 0, false, 0, 0}}, {}};
    });
  };
  auto const first = ask(graft::Attending::self, 0);
  EXPECT_EQ(ask(graft::Attending::self, 0), first);
  EXPECT_EQ(made, 1);
  EXPECT_NE(ask(graft::Attending::self_last, 0), first);
  EXPECT_NE(ask(graft::Attending::self, 3), first);
  EXPECT_EQ(ask(graft::Attending::self, 3)->table().segments[0].begin, 3);
  EXPECT_EQ(made, 3);
}

/// Notes which groups of rows its hook is called with.
struct Watching {
  static inline std::vector<graft::RowGroups const*> seen;
  static constexpr char const* name = "watching";
  template <class Scalar, class Device>
  struct State {
    using Value = graft::Variable<Scalar, Device>;
    State(Watching const&, graft::ModelInfo const&, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {}
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {}; }
    template <class Linear>
    Value project(graft::SiteAddress const&, Value const& x, Linear const& linear, graft::Rows const& rows) const {
      if (std::find(seen.begin(), seen.end(), rows.groups.get()) == seen.end()) seen.push_back(rows.groups.get());
      return linear(x);
    }
  };
};
TEST(AdapterTable, RowsAreGroupedOnceForAllTokensAndOnceForTheLastQueries) {
  Table<Gpt2, double> table;
  graft::add_adapter(table.model, Watching{});
  graft::NoGrad const no_grad;
  (void)table.model.scores(table.model.pack(tables::a_row_each<Gpt2>(1)));
  EXPECT_EQ(Watching::seen.size(), 2u);
  for (auto const* groups : Watching::seen) EXPECT_NE(groups, nullptr);
}

TEST(AdapterTable, TrainsAllOfItsAdaptersAtOnce) {
  Table<Gpt2, double> table;
  table.add(PrefixTuning{.length = 2});
  table.add(LoRA{.rank = 2});
  auto examples = tables::a_row_each<Gpt2>(2);
  auto const before = invariants::values_of(table.model);
  auto const report = graft::Trainer({.epochs = 60, .batch = 2, .learning_rate = 0.05}).fit(table.model, examples);
  EXPECT_LT(report.steps.back().loss, 0.7 * report.steps.front().loss);
  for (auto const& [name, value] : invariants::values_of(table.model))
    EXPECT_FALSE(invariants::same_bits(value, before.at(name))) << name;
}

template <class F>
void expect_refused(F const& f, std::string const& words) {
  try {
    f();
    FAIL() << "no error; expected one with: " << words;
  } catch (graft::Error const& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}
TEST(AdapterTable, WhatIsNotThereIsRefusedInASentence) {
  Table<Gpt2, double> table;
  table.add(PrefixTuning{.length = 2});
  table.add(LoRA{.rank = 2});
  auto examples = tables::a_row_each<Gpt2>(2);
  examples[1].adapter = 2;
  auto const batch = table.model.pack(examples);
  expect_refused([&] { (void)table.model.scores(batch); }, "got adapter 2 in row 1; expected one of the table");
  expect_refused([&] { (void)table.model.logits(batch); }, "got adapter 2 in row 1");
  expect_refused([&] { graft::Trainer({.epochs = 1}).fit(table.model, examples); },
                 "training example 1 names adapter 2");
  expect_refused(
      [&] {
        (void)graft::generate(table.model, {{3, 4}, {5}}, graft::Greedy{.max_new_tokens = 2, .adapters = {0, 7}});
      },
      "prompt 2 names adapter 7");
  expect_refused(
      [&] { (void)graft::generate(table.model, {{3, 4}, {5}}, graft::Greedy{.max_new_tokens = 2, .adapters = {0}}); },
      "got adapters of 1 prompts; expected 2");
  expect_refused([&] { graft::remove_adapter(table.model, 2); }, "got adapter 2 to remove");
  graft::remove_adapter(table.model, 1);
  expect_refused([&] { graft::remove_adapter(table.model, 1); }, "got adapter 1 to remove");
  expect_refused([&] { (void)table.model.scores(table.model.pack(tables::a_row_each<Gpt2>(2))); },
                 "got adapter 1 in row");
  expect_refused([&] { graft::add_adapter(table.model, graft::adapt(small::base<Gpt2, double>(), LoRA{})); },
                 "on another base than the table");
  auto const first_only = table.model.prepare({.adapters = {0}});
  auto examples_of_none = tables::a_row_each<Gpt2>(1);
  examples_of_none[0].adapter = -1;
  expect_refused([&] { (void)table.model.logits(table.model.pack(examples_of_none), first_only); },
                 "prepared for others");
  Table<Gpt2, double> grown;
  grown.add(LoRA{.rank = 2});
  auto const earlier = grown.model.prepare();
  grown.add(PrefixTuning{.length = 2});
  expect_refused([&] { (void)grown.model.logits(grown.model.pack(tables::a_row_each<Gpt2>(2)), earlier); },
                 "prepared for others");
  auto const lora = graft::adapt(table.model.base(), LoRA{.rank = 2});
  graft::add_adapter(table.model, lora);
  expect_refused([&] { graft::add_adapter(table.model, lora); }, "in the table already, as number 2");
}
TEST(AdapterTable, RowsThatNameNoneMayStandBesideThoseThatDo) {
  auto examples = tables::a_row_each<Gpt2>(2);
  examples[0].adapter = 0, examples[1].adapter = 1;
  graft::Batch batch = graft::pack({examples[0]});
  EXPECT_TRUE(batch.rows.adapter.empty());
  graft::append_causal_row(batch, examples[1]);
  EXPECT_EQ(batch.rows.adapter, (std::vector<Index>{0, 1}));
  graft::append_causal_row(batch, examples[0]);
  EXPECT_EQ(batch.rows.adapter, (std::vector<Index>{0, 1, 0}));
}
TEST(AdapterTable, AStepsAdaptersMayBeNamedInAnyOrder) {
  auto table = sixteen<double>();
  auto const batch = table.model.pack(tables::a_row_each<Gpt2>(3));
  EXPECT_TRUE(invariants::same_bits(table.model.logits(batch, table.model.prepare({.adapters = {2, 0, 1}})).value(),
                                    table.model.logits(batch).value()));
}

TEST(AdapterTable, RowsHaveTheLimitsOfTheirAdapter) {
  Table<Gpt2, double> table;
  table.add(PrefixTuning{.length = 10});
  table.add(LoRA{.rank = 2});
  graft::RowLimits const limits(table.model);
  EXPECT_EQ(limits.longest_source(1, 0), limits.longest_source(1, 1) - 10);
  EXPECT_EQ(limits.longest_source(1, 1), table.model.config().positions);
  std::vector<Token> const prompt(35, 3);
  EXPECT_EQ(
      graft::generate(table.model, {prompt}, graft::Greedy{.max_new_tokens = 3, .adapters = {1}})[0][0].tokens.size(),
      3u);
  expect_refused(
      [&] { (void)graft::generate(table.model, {prompt}, graft::Greedy{.max_new_tokens = 3, .adapters = {0}}); },
      "10 virtual ones");
}

/// Counts how often it is prepared.
struct Counting {
  static inline int prepared = 0;
  static constexpr char const* name = "counting";
  template <class Scalar, class Device>
  struct State {
    using Value = graft::Variable<Scalar, Device>;
    struct Step {
      Value embeddings;
    };
    State(Counting const&, graft::ModelInfo const& model, graft::BaseAccess<Scalar, Device> const&,
          graft::RandomKey key)
        : embeddings("embeddings", graft::normal<Scalar>(graft::Shape{3, model.width}, key)) {}
    std::vector<graft::Parameter<Scalar, Device>*> parameters() { return {&embeddings}; }
    Step prepare(graft::StepContext const&) const {
      ++prepared;
      return {embeddings.variable()};
    }
    void announce(graft::Additions& additions) const { additions.tokens.push_back({.count = 3}); }
    void virtual_tokens(graft::EmbeddingList<Scalar, Device>& list, Step const& step) const {
      list.push_back(step.embeddings);
    }
    graft::Parameter<Scalar, Device> embeddings;
  };
};
TEST(AdapterTable, CountingPreparesNothingAndAGenerationPreparesOnce) {
  Table<Gpt2, double> table;
  graft::add_adapter(table.model, PrefixTuning{.length = 4, .reparametrization = Mlp{.hidden = 4}});
  graft::add_adapter(table.model, Counting{});
  auto const alone = graft::adapt(table.base, Counting{});
  Counting::prepared = 0;
  EXPECT_EQ(table.model.virtual_tokens(0), 0);
  EXPECT_EQ(table.model.virtual_tokens(1), 3);
  EXPECT_EQ(alone.virtual_tokens(), 3);
  EXPECT_EQ(table.model.row_reach(graft::Stack::decoder, 0).front, 4);
  EXPECT_EQ(alone.row_reach().front, 3);
  EXPECT_EQ(graft::RowLimits(table.model).longest_source(1, 1), table.model.config().positions - 3);
  EXPECT_EQ(Counting::prepared, 0);
  (void)graft::generate(alone, {{3, 4}, {5}}, graft::Greedy{.max_new_tokens = 5});
  EXPECT_EQ(Counting::prepared, 1);
  (void)graft::generate(table.model, {{3, 4}, {5}}, graft::Greedy{.max_new_tokens = 5, .adapters = {1, -1}});
  EXPECT_EQ(Counting::prepared, 2);
  (void)graft::generate(table.model, {{3, 4}, {5}}, graft::Greedy{.max_new_tokens = 5, .adapters = {0, -1}});
  EXPECT_EQ(Counting::prepared, 2) << "of adapters that no prompt has nothing is prepared";
}

}  // namespace
