#include <gtest/gtest.h>

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
std::vector<Scalar> processed(LogitsProcessor const& process, Tokens const& tokens, Index prompt_length, std::vector<Scalar> values) {
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
  EXPECT_EQ(processed<double>(no_repeat_ngram(2), {1, 2, 1, 3, 1}, 2, {9, 9, 9, 9}), (std::vector<double>{9, 9, none, none}));
  EXPECT_EQ(processed<double>(no_repeat_ngram(3), {1, 2, 1, 3, 1, 2}, 2, {9, 9, 9, 9}), (std::vector<double>{9, none, 9, 9}));
  EXPECT_EQ(processed<double>(no_repeat_ngram(1), {1, 2}, 2, {9, 9, 9, 9}), (std::vector<double>{9, none, none, 9}));
  EXPECT_EQ(processed<double>(no_repeat_ngram(4), {1, 1, 1}, 2, {9, 9}), (std::vector<double>{9, 9}));
}

TEST(Processors, GeneratedTextsKeepThem) {
  auto const language = random_language(31, 12, 3.0, 1);
  auto const text =
      generate_alone(language, {4, 5, 4}, Greedy{.max_new_tokens = 30, .min_new_tokens = 20, .end_tokens = {0}, .no_repeat_ngram = 2})[0]
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
