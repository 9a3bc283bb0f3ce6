// Encoder–decoders and encoders: strategies that no fixture has, gradients through whole models, generation, files.
#include <gtest/gtest.h>

#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/autograd/gradcheck.hpp>
#include <graft/generate/generate.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/prefix_scope.hpp>
#include <graft/models/t5.hpp>
#include <graft/train/rounded_pass.hpp>

#include "invariants.hpp"

namespace {

using graft::Bart, graft::Bert, graft::Roberta, graft::T5, graft::T5v11;
using graft::Index, graft::Token;
using graft::InfixTuning, graft::LoRA, graft::Mlp, graft::PrefixTuning, graft::PromptTuning;

std::vector<graft::TokenizedExample> sources_and_targets() {
  auto examples = small::examples();
  examples.resize(3);
  return examples;
}
std::vector<graft::TokenizedExample> classes() {
  auto examples = small::examples();
  examples.resize(3);
  Token label = 0;
  for (auto& example : examples) {
    example.target = {label++};
    if (label == 2) example.token_types.assign(example.source.size(), 1);
  }
  return examples;
}
template <class A>
std::vector<graft::TokenizedExample> examples_for() {
  return A::head == graft::HeadKind::classifier ? classes() : sources_and_targets();
}

/// Central differences of the loss against all trained parameters, through the whole model.
template <graft::Architecture A, class Settings>
void check_gradients(Settings const& settings) {
  auto model = graft::adapt(small::base<A, double>(), settings, 3);
  small::disturb(model, 0.05);  // T5's unscaled scores curve so much further out that central differences lose digits
  auto const batch = model.pack(examples_for<A>());
  std::vector<graft::Parameter<double>> parameters;
  for (auto* parameter : model.parameters()) parameters.push_back(*parameter);
  auto const report = graft::gradcheck([&] { return small::loss(model, batch); }, parameters);
  EXPECT_TRUE(report.passed) << A::model_type << ": " << report.message;
}

TEST(EncoderGradients, ThreeWayPrefix) {
  PrefixTuning const flat{.length = 2, .init_deviation = 0.5}, mlp{.length = 2, .reparametrization = Mlp{.hidden = 3}};
  check_gradients<T5v11>(flat);  // its heads · head_dim are not its width, where PEFT fails
  check_gradients<T5v11>(mlp);
  check_gradients<T5>(PrefixTuning{.length = 3, .init_deviation = 0.5, .scope = graft::PrefixScope::peft_decoder});
  check_gradients<Bart>(flat);
  check_gradients<Bert>(graft::compose(mlp, graft::ClassificationHead{.labels = 4}));
}
TEST(EncoderGradients, InfixPromptAndAdapters) {
  check_gradients<Bart>(InfixTuning{.length = 2, .init_deviation = 0.5});
  check_gradients<T5>(PromptTuning{.length = 2, .init = graft::Init::normal, .place = graft::Place::infix});
  check_gradients<Bart>(PromptTuning{.length = 2, .init = graft::Init::normal, .side = graft::Side::target});
  check_gradients<T5>(PromptTuning{.length = 2, .init = graft::Init::normal, .side = graft::Side::target});
  check_gradients<Bart>(PromptTuning{.length = 2, .init = graft::Init::normal, .side = graft::Side::both});
  check_gradients<Bart>(graft::BottleneckAdapter{.bottleneck = 2, .placement = graft::AdapterPlacement::houlsby});
  check_gradients<T5v11>(LoRA{.rank = 2, .targets = {"k", "o", "wo"}});
  check_gradients<Roberta>(graft::compose(LoRA{.rank = 2}, graft::ClassificationHead{}));
  check_gradients<Bert>(
      graft::compose(PromptTuning{.length = 2, .pooling = graft::Pooling::first_token}, graft::ClassificationHead{}));
}

TEST(EncoderDecoder, PrefixHasABankForEveryAttention) {
  auto model = graft::adapt(small::base<Bart, double>(), PrefixTuning{.length = 2});
  auto const& banks = model.state().banks();
  ASSERT_EQ(banks.size(), 3U);
  EXPECT_EQ(banks[0].name, "encoder");
  EXPECT_EQ(banks[0].matrix.shape(), (graft::Shape{2, 2 * 2 * 12}));
  EXPECT_EQ(banks[2].matrix.shape(), (graft::Shape{2, 2 * 3 * 12}));
  EXPECT_EQ(model.parameters()[2]->name(), "cross.embedding.weight");
}

TEST(EncoderDecoder, AliasedSlotsAreReadAsPeftReadsThem) {
  auto const banks = graft::key_banks<double, graft::Cpu>(graft::describe_model<T5>(small::config<T5>()),
                                                          graft::Place::front, graft::PrefixScope::peft_decoder, {});
  ASSERT_EQ(banks.size(), 1U);
  EXPECT_EQ(banks[0].columns(), 4 * banks[0].width());  // two encoder layers
  for (std::size_t layer : {0U, 1U, 2U}) {
    EXPECT_EQ(banks[0].column(layer, 0), 0);
    EXPECT_EQ(banks[0].column(layer, 1), banks[0].width());
  }
}

TEST(EncoderDecoder, APrefixGoesBetweenItsLayouts) {
  using graft::PrefixScope;
  auto const base = small::base<T5, double>();
  auto shared = graft::adapt(
      base,
      PrefixTuning{.length = 3, .reparametrization = graft::Mlp{.hidden = 5}, .scope = PrefixScope::peft_decoder});
  auto own = graft::with_scope(shared, PrefixScope::decoder);  // three layers, which share one slot in PEFT's
  auto back = graft::with_scope(own, PrefixScope::peft_decoder);
  EXPECT_EQ(own.state().banks()[0].columns(), 6 * own.state().banks()[0].width());
  auto const batch = shared.pack(sources_and_targets());
  graft::NoGrad no_grad;
  auto const logits = shared.logits(batch).value();
  EXPECT_TRUE(invariants::same_bits(own.logits(batch).value(), logits));
  EXPECT_TRUE(invariants::same_bits(back.logits(batch).value(), logits));

  auto numbers = own.parameters()[0]->mutable_value();
  numbers.row(1)[own.state().banks()[0].column(2, 1)] += 0.5;
  EXPECT_THROW((void)graft::with_scope(own, PrefixScope::peft_decoder), graft::ConfigError);
  EXPECT_THROW((void)graft::with_scope(own, PrefixScope::all), graft::ConfigError);
  EXPECT_THROW((void)graft::with_scope(graft::adapt(base, PrefixTuning{.length = 3}), PrefixScope::decoder),
               graft::ConfigError);
}

TEST(EncoderDecoder, InfixLeavesTheEncoderAndReachesTheFirstTarget) {
  auto const base = small::base<Bart, double>();
  auto model = graft::adapt(base, InfixTuning{.length = 2, .init_deviation = 0.5});
  auto plain = graft::adapt(base, graft::NoAdaptation{});
  auto const batch = model.pack(sources_and_targets());
  auto const [with, extents] = model.encode_sources(batch);
  auto const [without, same] = plain.encode_sources(batch);
  for (std::size_t layer = 0; layer < with.layers.size(); ++layer)
    EXPECT_TRUE(invariants::same_bits(with.layers[layer].keys, without.layers[layer].keys));
  auto first = batch;
  first.rows.targets = {{0}, {batch.rows.targets.labels[0]}, {}};
  graft::backward(small::loss(model, first));
  double largest = 0;
  auto const gradient = model.parameters()[0]->gradient();
  for (Index i = 0; i < gradient.size(); ++i) largest = std::max(largest, std::abs(gradient.data()[i]));
  EXPECT_GT(largest, 1e-6);
}

/// A prompt of words before the decoder's start token is what a decoder reads that was given those words first.
template <graft::Architecture A>
void check_target_prompt() {
  auto const base = small::base<A, double>();
  Token const start = small::config<A>().decoder_start;
  auto model = graft::adapt(base, PromptTuning{.length = 3,
                                               .init = graft::Init::words,
                                               .init_words = {{start}, {5}, {6}},
                                               .side = graft::Side::target,
                                               .positions = graft::PositionPolicy::shift});
  auto plain = graft::adapt(base, graft::NoAdaptation{});
  graft::NoGrad no_grad;
  for (auto const& example : sources_and_targets()) {
    std::vector<Token> words{5, 6, start};
    words.insert(words.end(), example.target.begin(), example.target.end());
    auto const got = model.logits(model.pack({example})).value(),
               read = plain.logits(plain.pack({{example.source, words, 0}})).value();
    ASSERT_EQ(read.rows(), got.rows() + 3);
    for (Index i = 0; i < got.rows(); ++i)
      for (Index v = 0; v < got.width(); ++v) EXPECT_NEAR(got.row(i)[v], read.row(i + 3)[v], 1e-12) << A::model_type;
  }
}
TEST(EncoderDecoder, PromptsOfBothSidesAreOneOfEach) {
  auto const base = small::base<Bart, double>();
  auto both = graft::adapt(base, PromptTuning{.length = 2, .side = graft::Side::both});
  auto each = graft::adapt(
      base, graft::compose(PromptTuning{.length = 2}, PromptTuning{.length = 2, .side = graft::Side::target}));
  auto const rows = both.parameters().at(0)->value();
  ASSERT_EQ(rows.shape(), (graft::Shape{4, 12}));
  std::copy_n(rows.row(0), 24, each.parameters().at(0)->mutable_value().data());
  std::copy_n(rows.row(2), 24, each.parameters().at(1)->mutable_value().data());
  auto const batch = both.pack(sources_and_targets());
  graft::NoGrad no_grad;
  EXPECT_TRUE(invariants::same_bits(both.logits(batch).value(), each.logits(batch).value()));
}
TEST(EncoderDecoder, PromptOfTheTargetSideIsReadByTheDecoder) {
  check_target_prompt<Bart>();
  check_target_prompt<T5>();
  EXPECT_THROW((void)graft::adapt(small::base<Bart, double>(),
                                  PromptTuning{.side = graft::Side::target, .place = graft::Place::infix}),
               graft::ConfigError);
}

template <graft::Architecture A, class Settings>
void check_decoding(Settings const& settings) {
  auto model = graft::adapt(small::base<A, double>(), settings, 3);
  small::disturb(model);
  std::vector<std::vector<Token>> sources;
  for (auto const& example : small::examples()) sources.push_back(example.source);
  graft::BeamSearch const beams{.max_new_tokens = 7, .end_tokens = {4}, .beams = 3};
  auto const together = graft::generate(model, sources, beams),
             greedy = graft::generate(model, sources, graft::Greedy{.max_new_tokens = 7});
  for (std::size_t s = 0; s < sources.size(); ++s) {
    EXPECT_EQ(graft::generate(model, {sources[s]}, beams)[0][0].tokens, together[s][0].tokens)
        << A::model_type << ", source " << s;
    // greedy without a cache: the whole text anew at every step
    std::vector<Token> text;
    graft::NoGrad no_grad;
    for (Token chosen : greedy[s][0].tokens) {
      std::vector<Token> target = text;
      target.push_back(0);
      auto batch = model.pack({{sources[s], target, 0}});
      batch.rows.targets = {{batch.rows.tokens() - 1}, {}, {}};
      auto const logits = model.logits(batch).value();
      EXPECT_EQ(std::max_element(logits.data(), logits.data() + logits.size()) - logits.data(), chosen)
          << A::model_type << ", source " << s;
      text.push_back(chosen);
    }
  }
}

TEST(EncoderDecoder, DecodesWithTheCacheAsWithout) {
  check_decoding<T5v11>(PrefixTuning{.length = 2, .init_deviation = 0.5});
  check_decoding<T5>(PrefixTuning{.length = 3, .scope = graft::PrefixScope::decoder});
  check_decoding<Bart>(PrefixTuning{.length = 2, .positions = graft::PositionPolicy::shift});
  check_decoding<Bart>(PrefixTuning{.length = 3, .init_deviation = 0.5});
  check_decoding<Bart>(InfixTuning{.length = 2});
  check_decoding<Bart>(PromptTuning{.length = 2});
  check_decoding<Bart>(PromptTuning{.length = 3, .side = graft::Side::target});
  check_decoding<T5v11>(PromptTuning{.length = 2, .side = graft::Side::target});
  check_decoding<Bart>(
      graft::compose(PromptTuning{.length = 2}, PromptTuning{.length = 3, .side = graft::Side::target}));
  check_decoding<T5>(PromptTuning{.length = 2, .side = graft::Side::both});
}

TEST(EncoderDecoder, VirtualTokensBesideKeptPositionsLeaveRoomToWrite) {
  auto const base = small::base<Bart, double>();  // 40 positions
  graft::Greedy const settings{.max_new_tokens = 30};
  auto kept = graft::adapt(base, PromptTuning{.length = 25, .side = graft::Side::target});
  EXPECT_EQ(graft::generate(kept, {{3, 4}}, settings)[0].size(), 1U);
  auto shifted = graft::adapt(
      base, PromptTuning{.length = 25, .side = graft::Side::target, .positions = graft::PositionPolicy::shift});
  EXPECT_THROW((void)graft::generate(shifted, {{3, 4}}, settings), graft::ConfigError);
}

/// A row's logits do not depend on its neighbours.
template <graft::Architecture A, class Settings>
void check_neighbours(Settings const& settings) {
  auto model = graft::adapt(small::base<A, double>(), settings, 3);
  small::disturb(model);
  auto const examples = examples_for<A>();
  graft::NoGrad no_grad;
  auto const together = model.logits(model.pack(examples)).value();
  Index row = 0;
  for (auto const& example : examples) {
    auto const alone = model.logits(model.pack({example})).value();
    for (Index i = 0; i < alone.rows(); ++i, ++row)
      for (Index v = 0; v < alone.width(); ++v) EXPECT_NEAR(alone.row(i)[v], together.row(row)[v], 1e-12);
  }
  EXPECT_EQ(row, together.rows());
}
TEST(Encoders, RowsDoNotDependOnTheirNeighbours) {
  check_neighbours<T5>(PrefixTuning{.length = 2});
  check_neighbours<Bart>(PromptTuning{.length = 2});
  check_neighbours<Bart>(PromptTuning{.length = 2, .side = graft::Side::both});
  check_neighbours<Bert>(graft::compose(PromptTuning{.length = 2}, graft::ClassificationHead{}));
}

template <graft::Architecture A, class Settings>
void check_training(Settings const& settings) {
  auto const base = small::base<A, double>();
  auto const before = invariants::snapshot(base);
  auto model = graft::adapt(base, settings, 3);
  auto const batch = model.pack(examples_for<A>());
  auto const start = invariants::values_of(model);
  double const first = small::loss(model, batch).value().data()[0];
  graft::Tape::current().discard();
  invariants::train(model, batch, 6);
  invariants::recomputing_changes_nothing(model, batch);
  if constexpr (A::head != graft::HeadKind::classifier)
    sharing::changes_nothing(model, graft::cat(A::model_type, " ", Settings::name));
  graft::NoGrad no_grad;
  EXPECT_LT(small::loss(model, batch).value().data()[0], first) << A::model_type;
  for (auto* parameter : model.parameters())
    EXPECT_FALSE(invariants::same_bits(parameter->value(), start.at(parameter->name()))) << parameter->name();
  auto const after = invariants::snapshot(base);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(invariants::same_bits(before[i], after[i]));
  auto plain = graft::adapt(base, graft::NoAdaptation{});
  model.enable(false);
  EXPECT_TRUE(invariants::same_bits(model.logits(batch).value(), plain.logits(batch).value())) << "disabled";
}
TEST(Encoders, TrainingMovesTheAdapterAlone) {
  check_training<T5v11>(PrefixTuning{.length = 2, .reparametrization = Mlp{.hidden = 4}});
  check_training<Bart>(PrefixTuning{.length = 2, .init = graft::Init::words, .init_words = {{3, 4}, {5}}});
  check_training<Bart>(PromptTuning{.length = 2});
  check_training<Bart>(PromptTuning{.length = 2, .side = graft::Side::both});
  check_training<Bart>(LoRA{.rank = 2});
  check_training<Bert>(
      graft::compose(PrefixTuning{.length = 2}, graft::ClassificationHead{.labels = 3, .restart = true}));
}

/// The row that a GPU's passes get changes neither loss nor gradients; dropout, which is addressed, included.
template <graft::Architecture A>
void check_rounding_up(Index tokens, Index source_tokens) {
  auto model = graft::adapt(small::base<A, double>(), LoRA{.rank = 2, .dropout = 0.3}, 3);
  small::disturb(model);
  auto const pass = [&](bool rounded) {
    auto batch = model.pack(sources_and_targets());
    if (rounded) {
      graft::round_up_tokens(model, batch);
      EXPECT_EQ(batch.rows.tokens(), tokens) << A::model_type;
      EXPECT_EQ(batch.source.tokens(), source_tokens) << A::model_type;
    }
    batch.rows.training = true;
    batch.rows.step = 4;
    auto const loss = small::loss(model, batch);
    graft::backward(loss);
    std::vector<graft::Tensor<double>> found{loss.value()};
    for (auto* parameter : model.parameters()) {
      found.push_back(parameter->gradient());
      parameter->clear_gradient();
    }
    return found;
  };
  auto const got = pass(true), expected = pass(false);
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (Index k = 0; k < expected[i].size(); ++k)
      EXPECT_NEAR(got[i].data()[k], expected[i].data()[k], 1e-12) << A::model_type << ", " << i;
}
TEST(Encoders, ARowThatRoundsUpChangesNothing) {
  check_rounding_up<T5>(12, 16);  // of 10, the longest 5, and 14, the longest 9
  check_rounding_up<Bart>(12, 16);
  check_rounding_up<graft::Llama>(24, 0);  // of 21, the longest 10
}

TEST(Encoders, RobertaCountsNoPaddingTokenInAText) {
  auto model = graft::adapt(small::base<graft::Roberta, double>(), graft::NoAdaptation{});
  Index const padding = model.config().position_offset - 1;
  ASSERT_GE(padding, 0);
  graft::Batch batch;
  for (int row = 0; row < 2; ++row)
    model.append(batch, {{5, static_cast<graft::Token>(padding), 6, static_cast<graft::Token>(padding), 7}, {}, 0});
  EXPECT_EQ(batch.rows.positions, (std::vector<Index>{0, -1, 1, -1, 2, 0, -1, 1, -1, 2}))
      << "as create_position_ids_from_input_ids of transformers has it";
}
/// Rows of the position table moved to where a text without padding would look for them.
TEST(Encoders, RobertaReadsThePositionsThatItCounts) {
  graft::NoGrad const no_grad;
  auto const base = small::base<graft::Roberta, double>();
  auto const padding = static_cast<Token>(base->config().position_offset - 1);
  auto const moved = std::make_shared<graft::Pretrained<graft::Roberta, double>>(*base);
  auto& table = moved->mutable_at({graft::Site::position_embedding, {graft::Stack::encoder, -1}}).matrix;
  auto values = graft::clone(table.dense());  // [positions + offset, width]
  Index const first = base->config().position_offset;
  for (Index i = 0; i < 5; ++i)
    std::copy_n(table.dense().row(
                    std::vector<Index>{first, first - 1, first + 1, first - 1, first + 2}[static_cast<std::size_t>(i)]),
                values.width(), values.row(first + i));
  table = {std::move(values), graft::Layout::out_in};
  graft::TokenizedExample const example{{5, padding, 6, padding, 7}, {0}, 0};
  auto const model = graft::adapt(base, graft::NoAdaptation{});
  auto const in_order = graft::adapt(graft::Base<graft::Roberta, double>(moved), graft::NoAdaptation{});
  graft::Batch counted = model.pack({example}), plain;
  graft::append_classification_row(plain, example);
  EXPECT_TRUE(invariants::same_bits(model.logits(counted).value(), in_order.logits(plain).value()));
  EXPECT_FALSE(invariants::same_bits(model.logits(counted).value(), model.logits(plain).value()));

  auto prefix = graft::adapt(base, PrefixTuning{.length = 2});
  auto shifted = counted;
  for (Index& position : shifted.rows.positions)
    if (position >= 0) position += 2;
  auto kept = graft::adapt(base, PrefixTuning{.length = 2, .positions = graft::PositionPolicy::keep});
  EXPECT_TRUE(invariants::same_bits(prefix.logits(counted).value(), kept.logits(shifted).value()))
      << "a prefix shifts no padding";
}

TEST(Encoders, StepsInTurnAreRecomputedWithWhatEachPrepared) {
  auto const gradients = [](bool recompute, bool in_turn) {
    auto model = graft::adapt(small::base<Bart, double>(),
                              PrefixTuning{.length = 2, .reparametrization = Mlp{.hidden = 4}, .dropout = 0.4}, 3);
    std::vector<graft::Batch> batches(2, model.pack(examples_for<Bart>()));
    for (std::size_t i = 0; i < batches.size(); ++i) {
      batches[i].rows.recompute = recompute;
      batches[i].rows.training = true;
      batches[i].rows.step = 7 + i;
    }
    if (in_turn) {  // both forward passes come before both backward passes
      auto const first = small::loss(model, batches[0]), second = small::loss(model, batches[1]);
      graft::backward(first);
      graft::backward(second);
    } else {
      for (auto const& batch : batches) graft::backward(small::loss(model, batch));
    }
    std::vector<graft::Tensor<double>> result;
    for (auto* parameter : model.parameters()) result.push_back(graft::clone(parameter->gradient()));
    return result;
  };
  auto const expected = gradients(false, false);
  for (bool const recompute : {false, true})
    for (bool const in_turn : {false, true}) {
      auto const found = gradients(recompute, in_turn);
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_TRUE(invariants::same_bits(expected[i], found[i]))
            << "recompute " << recompute << ", in turn " << in_turn << ", parameter " << i;
    }
}

TEST(Encoders, HeadlessBaseSaysWhatToDo) {
  auto config = small::config<Bert>();
  auto const headless = std::make_shared<graft::Pretrained<Bert, double>>(*small::base<Bert, double>());
  headless->mutable_at({graft::Site::classifier}) = {};
  auto model = graft::adapt(graft::Base<Bert, double>(headless), LoRA{.rank = 2});
  try {
    (void)model.scores(model.pack(classes()));
    FAIL() << "no error";
  } catch (graft::ConfigError const& error) {
    EXPECT_NE(std::string(error.what()).find("without a classification head"), std::string::npos) << error.what();
  }
  graft::Tape::current().discard();
  auto with_head = graft::adapt(graft::Base<Bert, double>(headless),
                                graft::compose(LoRA{.rank = 2}, graft::ClassificationHead{.labels = 5}));
  EXPECT_EQ(with_head.logits(with_head.pack(classes())).value().width(), 5);
  graft::Tape::current().discard();
}

TEST(Encoders, PrefixOfActivationsStartsAtTheWords) {
  auto const base = small::base<Bart, double>();
  auto model = graft::adapt(base, PrefixTuning{.length = 3, .init = graft::Init::words, .init_words = {{3, 4}, {5}}});
  auto const access = graft::access<Bart, double, graft::Cpu>(base);
  for (auto const& layer : access.keys_values({3, 4, 5})) {
    for (auto& bank : model.state().banks()) {
      auto const i = bank.find(layer.at, layer.kind);
      if (i < 0) continue;
      auto const values = bank.matrix.values();
      for (Index p = 0; p < 3; ++p)
        for (Index c = 0; c < bank.width(); ++c)
          EXPECT_EQ(values.row(p)[bank.column(static_cast<std::size_t>(i), 1) + c], layer.values.row(p)[c]);
    }
  }
}

}  // namespace
