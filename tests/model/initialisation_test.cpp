// How strategies start: real words' activations, embeddings of text, vocabulary and class labels, and budgets of
// parameters.
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include <set>

#include "invariants.hpp"
#include "support/worst.hpp"

namespace {

using graft::BottleneckAdapter, graft::EmbeddingOnly, graft::Init, graft::Mlp, graft::PrefixTuning, graft::PromptTuning;
using graft::Index, graft::Token;
using Words = std::vector<std::vector<Token>>;

template <class A>
class Initialisation : public testing::Test {};
using Architectures = testing::Types<graft::Gpt2, graft::Llama>;
TYPED_TEST_SUITE(Initialisation, Architectures);

/// Largest |difference| of logits from those of the base that reads `text` before every row, relative to the largest
/// logit.
template <class Model>
double distance_from_reading(Model& model, std::vector<Token> const& text) {
  auto plain = graft::adapt(model.base(), graft::NoAdaptation{});
  auto const examples = small::examples();
  double worst = 0, largest = 0;
  for (auto const& example : examples) {
    auto longer = example;
    longer.source.insert(longer.source.begin(), text.begin(), text.end());
    auto const got = invariants::logits_of(model, graft::pack({example})),
               expected = invariants::logits_of(plain, graft::pack({longer}));
    for (Index i = 0; i < got.rows(); ++i)
      for (Index v = 0; v < got.width(); ++v) {
        double const reference = expected.row(i + static_cast<Index>(text.size()))[v];
        worst = graft::testing::worse(worst, std::abs(got.row(i)[v] - reference));
        largest = std::max(largest, std::abs(reference));
      }
  }
  return worst / largest;
}

double mean_square(graft::Tensor<double> const& a, graft::Tensor<double> const& b) {
  double sum = 0;
  for (Index i = 0; i < a.size(); ++i) sum += (a.data()[i] - b.data()[i]) * (a.data()[i] - b.data()[i]);
  return sum / static_cast<double>(a.size());
}

TYPED_TEST(Initialisation, PrefixOfWordsIsReadingThem) {
  auto const base = small::base<TypeParam, double>();
  auto flat = graft::adapt(base, PrefixTuning{.length = 5, .init = Init::words, .init_words = {{7}, {3, 21}}});
  EXPECT_LE(distance_from_reading(flat, {7, 3, 21, 7, 3}), 1e-12)
      << "the words are repeated to the length of the prefix";
  auto random = graft::adapt(base, PrefixTuning{.length = 5});
  EXPECT_GT(distance_from_reading(random, {7, 3, 21, 7, 3}), 0.05);
}

TYPED_TEST(Initialisation, MlpIsFittedToTheWords) {
  auto const base = small::base<TypeParam, double>();
  PrefixTuning const words{.length = 4, .init = Init::words, .init_words = {{7}, {3}, {21}, {11}}};
  auto flat = graft::adapt(base, words);
  auto fitted_settings = words, random_settings = words;
  fitted_settings.reparametrization = random_settings.reparametrization = Mlp{.hidden = 64};
  random_settings.init = Init::normal;
  auto fitted = graft::adapt(base, fitted_settings), random = graft::adapt(base, random_settings);
  auto const target = flat.state().banks()[0].matrix.values();
  double const before = mean_square(random.state().banks()[0].matrix.values(), target),
               after = mean_square(fitted.state().banks()[0].matrix.values(), target);
  EXPECT_LT(after, 0.01 * before) << "mean squared error " << before << " before and " << after << " after";
  EXPECT_LT(distance_from_reading(fitted, {7, 3, 21, 11}), 0.2 * distance_from_reading(random, {7, 3, 21, 11}));
}

TYPED_TEST(Initialisation, FittingAnMlpLeavesAnotherModelsStepAlone) {
  auto const base = small::base<TypeParam, double>();
  PrefixTuning const words{
      .length = 2, .reparametrization = Mlp{.hidden = 5}, .init = Init::words, .init_words = {{7}, {3}}};
  auto const batch = graft::pack(small::examples());
  auto const norms = [&](bool between) {
    auto model = graft::adapt(base, graft::LoRA{.rank = 2});
    auto const loss = small::loss(model, batch);
    if (between) (void)graft::adapt(base, words);  // goes backward itself, hundreds of times
    graft::backward(loss);
    double sum = 0;
    for (auto* parameter : model.parameters())
      if (parameter->has_gradient())
        for (Index i = 0; i < parameter->gradient().size(); ++i) sum += std::abs(parameter->gradient().data()[i]);
    return sum;
  };
  double const alone = norms(false);
  EXPECT_GT(alone, 0);
  EXPECT_EQ(norms(true), alone);
  EXPECT_EQ(graft::Tape::current().size(), 0U);
}

TYPED_TEST(Initialisation, MlpReadsTheWordsEmbeddings) {
  auto const base = small::base<TypeParam, double>();
  auto model = graft::adapt(base, PrefixTuning{.length = 2,
                                               .reparametrization = Mlp{.hidden = 5},
                                               .init = Init::words,
                                               .init_words = {{7}, {9}},
                                               .embed_words_as_input = true});
  auto const embedded = graft::access<TypeParam, double, graft::Cpu>(base).embed({7, 9});
  EXPECT_TRUE(invariants::same_bits(model.parameters().at(0)->value(), embedded));
}

TYPED_TEST(Initialisation, PromptOfTextIsReadingIt) {
  auto model = graft::adapt(small::base<TypeParam, double>(),
                            PromptTuning{.length = 4, .init = Init::words, .init_words = {{5}, {6}, {30}}});
  EXPECT_LE(distance_from_reading(model, {5, 6, 30, 5}), 1e-12) << "a text is repeated to the length of the prompt";
  auto embedding_only = graft::adapt(small::base<TypeParam, double>(),
                                     EmbeddingOnly{.length = 2, .init = Init::words, .init_words = {{5}, {6}}});
  EXPECT_LE(distance_from_reading(embedding_only, {5, 6}), 1e-12);
}

TYPED_TEST(Initialisation, PromptOfClassLabels) {
  auto const base = small::base<TypeParam, double>();
  auto const embed = graft::access<TypeParam, double, graft::Cpu>(base).embed;
  auto model = graft::adapt(base, PromptTuning{.length = 4,
                                               .init = Init::words,
                                               .init_words = {{5, 9, 2}, {8}},
                                               .fill_from_vocabulary = true,
                                               .init_sample = 20});
  auto const& prompt = model.parameters().at(0)->value();
  auto const label = embed({5, 9, 2}), word = embed({8}),
             all = embed({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  for (Index k = 0; k < prompt.width(); ++k) {
    EXPECT_NEAR(prompt.row(0)[k], (label.row(0)[k] + label.row(1)[k] + label.row(2)[k]) / 3, 1e-14)
        << "the mean over a label's tokens";
    EXPECT_EQ(prompt.row(1)[k], word.row(0)[k]);
  }
  std::set<Index> tokens;
  for (Index p = 2; p < 4; ++p)
    for (Index t = 0; t < all.rows(); ++t)
      if (std::equal(prompt.row(p), prompt.row(p) + prompt.width(), all.row(t))) tokens.insert(t);
  EXPECT_EQ(tokens.size(), 2U) << "the rest are two tokens of the vocabulary's beginning";
}

TYPED_TEST(Initialisation, PromptOfTheVocabulary) {
  auto const base = small::base<TypeParam, double>();
  auto const sampled = [&](std::uint64_t seed, Index length, Index sample) {
    auto model = graft::adapt(base, PromptTuning{.length = length, .init_sample = sample}, seed);
    auto const& prompt = model.parameters().at(0)->value();
    std::vector<Token> tokens;
    for (Index p = 0; p < length; ++p)
      for (Token t = 0; t < 31; ++t) {
        auto const row = graft::access<TypeParam, double, graft::Cpu>(base).embed({t});
        if (std::equal(prompt.row(p), prompt.row(p) + prompt.width(), row.data())) tokens.push_back(t);
      }
    return tokens;
  };
  auto const first = sampled(1, 9, 10);
  EXPECT_EQ(first.size(), 9U);
  EXPECT_EQ(std::set<Token>(first.begin(), first.end()).size(), 9U) << "without replacement";
  EXPECT_LT(*std::max_element(first.begin(), first.end()), 10);
  EXPECT_EQ(first, sampled(1, 9, 10));
  EXPECT_NE(first, sampled(2, 9, 10));
  EXPECT_EQ(sampled(1, 7, 3).size(), 7U) << "more than there are to sample from";
}

TYPED_TEST(Initialisation, RandomNumbersHaveTheirSpread) {
  auto const base = small::base<TypeParam, double>();
  auto const spread = [&](PrefixTuning const& settings, double& largest) {
    auto model = graft::adapt(base, settings);
    auto const& bank = model.parameters().at(0)->value();
    double sum = 0;
    for (Index i = 0; i < bank.size(); ++i) {
      sum += bank.data()[i] * bank.data()[i];
      largest = std::max(largest, std::abs(bank.data()[i]));
    }
    return std::sqrt(sum / static_cast<double>(bank.size()));
  };
  double largest = 0;
  EXPECT_NEAR(spread({.length = 200, .init_deviation = 0.3}, largest), 0.3, 0.01);
  largest = 0;
  EXPECT_NEAR(spread({.length = 200, .init = Init::uniform, .init_deviation = 0.5}, largest), 0.5 / std::sqrt(3.0),
              0.01);
  EXPECT_LE(largest, 0.5);
}

/// GPT-2 small with the paper's budgets: the widest bottleneck within the share.
TEST(Budget, AdaptersReachThePapersShares) {
  auto config = small::config<graft::Gpt2>();
  config.vocabulary = 50257, config.width = 768, config.layers = 12, config.heads = config.kv_heads = 12,
  config.head_dim = 64, config.inner = 3072, config.positions = 1024;
  auto const info = graft::describe_model<graft::Gpt2>(config);
  ASSERT_EQ(info.parameters(), 124439808);
  for (auto placement : {graft::AdapterPlacement::between_layers, graft::AdapterPlacement::houlsby})
    for (double share : {0.03, 0.001}) {
      graft::StateOf<BottleneckAdapter, float, graft::Cpu> state({.share = share, .placement = placement}, info, {},
                                                                 graft::RandomKey(1));
      Index trainable = 0;
      for (auto* parameter : state.parameters()) trainable += parameter->value().size();
      auto const units = static_cast<Index>(state.parameters().size()) / 4;
      double const limit = share * static_cast<double>(info.parameters());
      EXPECT_LE(static_cast<double>(trainable), limit);
      EXPECT_GT(static_cast<double>(trainable + units * (2 * 768 + 1)), limit) << "one wider would fit";
    }
}

TEST(Budget, CountsParameters) {
  auto lora = graft::adapt(small::base<graft::Llama, float>(), graft::LoRA{.rank = 2});
  Index const width = 12, vocabulary = 31, inner = 20, kv = 6, layers = 3;
  Index const base =
      2 * vocabulary * width + width + layers * (2 * width + 2 * width * width + 2 * width * kv + 3 * width * inner);
  Index const adapter = layers * 2 * ((width + width) + (width + kv));
  EXPECT_EQ(lora.parameter_counts().trainable, adapter);
  EXPECT_EQ(lora.parameter_counts().all, base + adapter);
  auto full = graft::adapt(small::base<graft::Llama, float>(), graft::FullFineTuning{});
  EXPECT_EQ(full.parameter_counts().trainable, base);
  EXPECT_EQ(full.parameter_counts().all, base);
}

}  // namespace
