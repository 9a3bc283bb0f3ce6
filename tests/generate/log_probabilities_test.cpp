// Log-probabilities of texts, embeddings of tokens and states, each against what the model's logits and weights say.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/token_embeddings.hpp>
#include <graft/ops/softmax.hpp>
#include <graft/train/log_probabilities.hpp>

#include "letters.hpp"
#include "model/small_model.hpp"
#include "support/refusals.hpp"

namespace {

using namespace graft;
using namespace graft::testing;

std::vector<TokenizedExample> some_examples() {
  return {{{3, 1, 4}, {1, 5}}, {{9}, {2, 6, 5, 3}, 1}, {{5, 8, 9, 7}, {9}, 2}};
}

/// ln p of each target from the logits of one example alone.
template <class Model>
std::vector<double> from_logits(Model const& model, TokenizedExample const& example) {
  NoGrad const no_grad;
  Batch const batch = model.pack({example});
  auto const log_p = log_softmax(model.logits(batch)).value();
  std::vector<double> each;
  for (Index k = 0; k < log_p.rows(); ++k) each.push_back(log_p.row(k)[example.target[static_cast<std::size_t>(k)]]);
  return each;
}

template <class Model>
void expect_those_of_the_logits(Model const& model) {
  auto const examples = some_examples();
  auto const results = log_probabilities(model, examples);
  ASSERT_EQ(results.size(), examples.size());
  for (std::size_t i = 0; i < examples.size(); ++i) {
    auto const expected = from_logits(model, examples[i]);
    EXPECT_EQ(results[i].tokens, examples[i].target);
    ASSERT_EQ(results[i].each.size(), expected.size());
    double sum = 0;
    for (std::size_t k = 0; k < expected.size(); ++k) {
      EXPECT_NEAR(results[i].each[k], expected[k], 1e-12) << "example " << i << ", token " << k;
      sum += expected[k];
    }
    EXPECT_NEAR(results[i].sum, sum, 1e-12);
    EXPECT_LT(results[i].sum, 0);
    EXPECT_EQ(log_probabilities(model, examples[i]).each, results[i].each) << "alone";
  }
  std::vector<TokenizedExample> answers;  // to one question
  for (auto const& example : examples)
    answers.push_back({{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, example.target, answers.size()});
  auto const shared = log_probabilities(model, answers, 2048, true), apart = log_probabilities(model, answers);
  for (std::size_t i = 0; i < answers.size(); ++i)
    for (std::size_t k = 0; k < apart[i].each.size(); ++k) EXPECT_NEAR(shared[i].each[k], apart[i].each[k], 1e-12);
  auto const one_by_one = log_probabilities(model, examples, 1);
  for (std::size_t i = 0; i < examples.size(); ++i) EXPECT_EQ(one_by_one[i].each, results[i].each);
}

TEST(LogProbabilities, AreThoseOfTheLogits) {
  expect_those_of_the_logits(random_model<Llama>(PrefixTuning{.length = 3}));
  expect_those_of_the_logits(random_model<Gpt2>(PromptTuning{.length = 2}));
  expect_those_of_the_logits(adapt(small::base<Bart, double>(), PrefixTuning{.length = 2}, 1));
}

TEST(LogProbabilities, LeaveNothingOnTheTape) {
  auto const model = random_model<Llama>(PrefixTuning{.length = 3});
  std::size_t const before = Tape::current().size();
  (void)log_probabilities(model, some_examples());
  EXPECT_EQ(Tape::current().size(), before);
}

TEST(LogProbabilities, OfATextLeaveOutItsFirstToken) {
  auto const model = random_model<Llama>(NoAdaptation{});
  auto const tokenizer = letters();
  auto const tokens = tokenizer.encode("head");
  auto const result = log_probabilities(model, tokenizer, "head");
  EXPECT_EQ(result.tokens, std::vector<Token>(tokens.begin() + 1, tokens.end()));
  EXPECT_EQ(result.each, log_probabilities(model, TokenizedExample{{tokens[0]}, result.tokens}).each);
  // the chain rule: a text's parts have the probability of the whole
  auto const begin = log_probabilities(model, tokenizer, "hea");
  auto const end = log_probabilities(model, TokenizedExample{tokenizer.encode("hea"), tokenizer.encode("d")});
  EXPECT_NEAR(begin.sum + end.sum, result.sum, 1e-12);
}

TEST(LogProbabilities, OfASourceAndATargetAreEncodedAsTrainingDoes) {
  auto const model = random_model<Llama>(NoAdaptation{});
  auto const tokenizer = letters();
  Template const form{.separator = "c", .target_prefix = "d"};
  auto const result = log_probabilities(model, tokenizer, "ab", "ef", form);
  std::vector<Token> target = tokenizer.encode("def");
  target.push_back(*tokenizer.special_tokens().eos);
  EXPECT_EQ(result.tokens, target);
  EXPECT_EQ(result.each, log_probabilities(model, TokenizedExample{tokenizer.encode("abc"), target}).each);
}

/// A probability distribution: over all continuations by one token it adds up to 1.
TEST(LogProbabilities, AddUpToOne) {
  auto const model = random_model<Gpt2>(NoAdaptation{});
  double total = 0;
  for (Token token = 0; token < tiny_vocabulary; ++token)
    total += std::exp(log_probabilities(model, TokenizedExample{{4, 2}, {token}}).sum);
  EXPECT_NEAR(total, 1, 1e-12);
}

TEST(LogProbabilities, RefuseWhatHasNone) {
  auto const model = random_model<Llama>(PromptTuning{.length = 4});
  auto const tokenizer = letters();
  EXPECT_EQ(message_of<ConfigError>([&] { (void)log_probabilities(model, tokenizer, "a"); }),
            "[log_probabilities] got a text of 1 token; expected at least 2, as the first has nothing before it");
  EXPECT_EQ(message_of<ConfigError>([&] { (void)log_probabilities(model, tokenizer, ""); }),
            "[log_probabilities] got a text of 0 tokens; expected at least 2, as the first has nothing before it");
  EXPECT_EQ(message_of<Error>([&] { (void)log_probabilities(model, TokenizedExample{{1}, {}}); }),
            "[log_probabilities] got an example (number 0) without target tokens; expected at least one of each");
  EXPECT_NE(message_of<ConfigError>([&] {
              (void)log_probabilities(model, {{{1}, {2}}, {std::vector<Token>(95, 1), {2, 3, 4}}});
            }).find("example 1 is too long for the model; got 98 tokens of source and target, and 4 virtual ones"),
            std::string::npos);
  EXPECT_NE(message_of<ConfigError>([&] {
              (void)log_probabilities(model, TokenizedExample{{1}, {tiny_vocabulary}});
            }).find("example 0 has the token 23 in its target; expected 0 to 22"),
            std::string::npos);
}

TEST(TokenEmbeddings, AreRowsOfTheTable) {
  auto model = random_model<Llama>(PrefixTuning{.length = 3});
  std::vector<Token> const tokens{4, 0, 4, 22};
  auto const table = model.base()->at({Site::token_embedding}).matrix.dense();
  auto const rows = token_embeddings(model, tokens);
  ASSERT_EQ(rows.shape(), (Shape{4, 16}));
  for (Index i = 0; i < 4; ++i)
    for (Index j = 0; j < 16; ++j) EXPECT_EQ(rows.row(i)[j], table.row(tokens[static_cast<std::size_t>(i)])[j]);
  std::vector<Token> const foreign{3, 23};
  EXPECT_NE(message_of<Error>([&] {
              (void)token_embeddings(model, foreign);
            }).find("[token_embeddings] token out of range; got 23 at position 1; expected 0 to 22"),
            std::string::npos);
}

TEST(TokenEmbeddings, AreTheTrainedOnesWhereThoseAreTrained) {
  auto model = random_model<Llama>(FullFineTuning{});
  std::vector<Token> const tokens{7};
  auto const base = model.base()->at({Site::token_embedding}).matrix.dense();
  auto const* const trained = model.state().trained({Site::token_embedding}, Part::weight);
  ASSERT_NE(trained, nullptr);
  EXPECT_EQ(token_embeddings(model, tokens).data()[3], trained->value().row(7)[3]);
  EXPECT_NE(token_embeddings(model, tokens).data()[3], base.row(7)[3]);
  model.enable(false);
  EXPECT_EQ(token_embeddings(model, tokens).data()[3], base.row(7)[3]);
}

TEST(HiddenStates, AreWhatTheHeadReads) {
  auto const model = random_model<Gpt2>(PrefixTuning{.length = 2});  // whose head is the embedding
  NoGrad const no_grad;
  Batch batch = model.pack({{{3, 1, 4, 1, 5}, {}}});
  batch.rows.targets.at = {0, 1, 2, 3, 4};  // a state for every token
  auto const states = model.hidden_states(batch).value();
  ASSERT_EQ(states.shape(), (Shape{5, 16}));
  auto const table = model.base()->at({Site::token_embedding}).matrix.dense();
  auto const logits = model.logits(batch).value();
  for (Index i = 0; i < 5; ++i)
    for (Index token = 0; token < tiny_vocabulary; ++token) {
      double sum = 0;
      for (Index j = 0; j < 16; ++j) sum += states.row(i)[j] * table.row(token)[j];
      EXPECT_NEAR(logits.row(i)[token], sum, 1e-12);
    }
  batch.rows.targets.at = {2};
  auto const one = model.hidden_states(batch).value();
  for (Index j = 0; j < 16; ++j) EXPECT_NEAR(one.data()[j], states.row(2)[j], 1e-13);
}

}  // namespace
