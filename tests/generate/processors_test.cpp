#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include <graft/generate/greedy.hpp>

#include "fake_session.hpp"

namespace {

using namespace graft;
using graft::testing::generate_alone;
using graft::testing::random_language;
using graft::testing::Tokens;

template <class Scalar>
std::vector<Scalar> processed(LogitsProcessor const& process, Tokens const& tokens, Index prompt_length,
                              std::vector<Scalar> values) {
  Scores scores(values.data(), static_cast<Index>(values.size()));
  process({tokens, prompt_length, 0}, scores);
  return values;
}
double const none = -std::numeric_limits<double>::infinity();

TEST(Processors, MinNewTokensForbidsTheEnd) {
  auto const process = min_new_tokens(2, {1, 3});
  EXPECT_EQ(processed<double>(process, {0, 0, 2}, 2, {1, 2, 3, 4}), (std::vector<double>{1, none, 3, none}));
  EXPECT_EQ(processed<double>(process, {0, 0, 2, 2}, 2, {1, 2, 3, 4}), (std::vector<double>{1, 2, 3, 4}));
}

TEST(Processors, RepetitionPenaltyShrinksPositiveAndGrowsNegativeScores) {
  EXPECT_EQ(processed<float>(repetition_penalty(2), {0, 1, 1, 99}, 1, {4, -4, 4}), (std::vector<float>{2, -8, 4}));
}

TEST(Processors, NoRepeatNgramForbidsWhatWouldRepeat) {
  EXPECT_EQ(processed<double>(no_repeat_ngram(2), {1, 2, 1, 3, 1}, 2, {9, 9, 9, 9}),
            (std::vector<double>{9, 9, none, none}));
  EXPECT_EQ(processed<double>(no_repeat_ngram(3), {1, 2, 1, 3, 1, 2}, 2, {9, 9, 9, 9}),
            (std::vector<double>{9, none, 9, 9}));
  EXPECT_EQ(processed<double>(no_repeat_ngram(1), {1, 2}, 2, {9, 9, 9, 9}), (std::vector<double>{9, none, none, 9}));
  EXPECT_EQ(processed<double>(no_repeat_ngram(4), {1, 1, 1}, 2, {9, 9}), (std::vector<double>{9, 9}));
}

TEST(Processors, ForcedTokensAreCertain) {
  EXPECT_EQ(processed<double>(force_first(2), {5}, 1, {1, 2, 3}), (std::vector<double>{none, none, 0}));
  EXPECT_EQ(processed<double>(force_first(2), {5, 1}, 1, {1, 2, 3}), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(processed<double>(force_last(0, 2), {5, 1}, 1, {1, 2, 3}), (std::vector<double>{0, none, none}));
  EXPECT_EQ(processed<double>(force_last(0, 2), {5}, 1, {1, 2, 3}), (std::vector<double>{1, 2, 3}));
}

TEST(Processors, SuppressedTokensAndWordsNeverCome) {
  EXPECT_EQ(processed<double>(suppress({1, 99}), {5}, 1, {1, 2, 3}), (std::vector<double>{1, none, 3}));
  EXPECT_EQ(processed<double>(suppress_first({1}), {5}, 1, {1, 2}), (std::vector<double>{1, none}));
  EXPECT_EQ(processed<double>(suppress_first({1}), {5, 0}, 1, {1, 2}), (std::vector<double>{1, 2}));
  EXPECT_EQ(processed<double>(suppress_first({1}, true), {5}, 1, {1, 2}),
            (std::vector<double>{1, 2}));  // the forced one
  EXPECT_EQ(processed<double>(suppress_first({1}, true), {5, 0}, 1, {1, 2}), (std::vector<double>{1, none}));
  EXPECT_EQ(processed<double>(suppress_first({1}, true), {5, 0}, 2, {1, 2}),
            (std::vector<double>{1, none}));  // no token is forced after two
  std::vector<std::vector<Token>> const words{{0}, {5, 1}, {4, 5, 2}, {3}, {}};
  EXPECT_EQ(processed<double>(forbid_words(words, {3}), {5}, 1, {9, 9, 9, 9}), (std::vector<double>{none, none, 9, 9}));
  EXPECT_EQ(processed<double>(forbid_words(words), {4, 5}, 1, {9, 9, 9, 9}),
            (std::vector<double>{none, none, none, none}));
}

TEST(Processors, RenormalisedScoresAreLogProbabilities) {
  auto const scores = processed<double>(renormalise(), {5}, 1, {std::log(1.0), none, std::log(3.0)});
  EXPECT_NEAR(scores[0], std::log(0.25), 1e-12);
  EXPECT_EQ(scores[1], none);
  EXPECT_NEAR(scores[2], std::log(0.75), 1e-12);
}

TEST(Processors, GeneratedTextsKeepThem) {
  auto const language = random_language(31, 12, 3.0, 1);
  auto const text =
      generate_alone(language, {4, 5, 4},
                     Greedy{.max_new_tokens = 30, .min_new_tokens = 20, .end_tokens = {0}, .no_repeat_ngram = 2})[0]
          .tokens;
  EXPECT_GE(text.size(), 20u);
  Tokens all{4, 5, 4};
  all.insert(all.end(), text.begin(), text.end());
  std::set<std::pair<Token, Token>> pairs;
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_TRUE(pairs.emplace(all[i - 1], all[i]).second);
}

TEST(Processors, AUsersOwnCanForceTokens) {
  Tokens const wanted{7, 3, 7};
  LogitsProcessor const forced = [&](History const& history, Scores& scores) {
    if (history.generated() < 3) scores.force(wanted[static_cast<std::size_t>(history.generated())]);
  };
  auto const language = random_language(32, 12);
  auto const text = generate_alone(language, {1}, Greedy{.max_new_tokens = 5, .processors = {forced}})[0];
  EXPECT_EQ(Tokens(text.tokens.begin(), text.tokens.begin() + 3), wanted);
  auto const free = generate_alone(language, {1, 7, 3, 7}, Greedy{.max_new_tokens = 2})[0];
  EXPECT_EQ(Tokens(text.tokens.begin() + 3, text.tokens.end()), free.tokens);
}

}  // namespace
