#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include <graft/generate/greedy.hpp>

#include "fake_session.hpp"

namespace {

using namespace graft;
using graft::testing::FakeSession;
using graft::testing::generate_alone;
using graft::testing::random_language;
using graft::testing::Tokens;

std::vector<Tokens> const prompts{{3, 1, 4}, {1}, {5, 9, 2, 6, 5}, {8, 8}};

TEST(Greedy, TakesTheMostProbableTokenAndAddsItsLogProbability) {
  auto const language = random_language(11, 10, 0.3);
  FakeSession<double> session(language, prompts);
  auto const texts = decode(session, Greedy{.max_new_tokens = 15, .end_tokens = {0}});
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    Tokens all = prompts[p];
    double score = 0;
    do {
      auto const log_p = graft::testing::log_probabilities(language, all);
      auto const best = std::max_element(log_p.begin(), log_p.end());
      all.push_back(static_cast<Token>(best - log_p.begin()));
      score += *best;
    } while (all.back() != 0 && all.size() < prompts[p].size() + 15);
    ASSERT_EQ(texts[p].size(), 1u);
    EXPECT_EQ(texts[p][0].tokens, Tokens(all.begin() + static_cast<Index>(prompts[p].size()), all.end()));
    EXPECT_EQ(texts[p][0].finished, all.back() == 0);
    EXPECT_NEAR(texts[p][0].score, score, 1e-12);
    EXPECT_EQ(texts[p][0].tokens,
              generate_alone(language, prompts[p], Greedy{.max_new_tokens = 15, .end_tokens = {0}})[0].tokens);
  }
}

TEST(Greedy, FinishedTextsLeaveTheBatch) {
  graft::testing::Language const countdown = [](Tokens const& tokens) {  // the token before, less one
    std::vector<double> logits(10, 0.0);
    logits[static_cast<std::size_t>(tokens.back() - 1)] = 5;
    return logits;
  };
  FakeSession<double> session(countdown, {{4}, {2}, {7}, {1}});
  auto const texts = decode(session, Greedy{.max_new_tokens = 5, .end_tokens = {0}});
  EXPECT_EQ(texts[0][0].tokens, (Tokens{3, 2, 1, 0}));
  EXPECT_EQ(texts[1][0].tokens, (Tokens{1, 0}));
  EXPECT_EQ(texts[2][0].tokens, (Tokens{6, 5, 4, 3, 2}));
  EXPECT_EQ(texts[3][0].tokens, (Tokens{0}));
  EXPECT_FALSE(texts[2][0].finished);
  EXPECT_EQ(session.batch_sizes, (std::vector<std::size_t>{3, 2, 2, 1}));
}

TEST(Greedy, ReportsEveryTokenAsItComes) {
  auto const language = random_language(2, 10, 0.5);
  std::vector<Tokens> heard(prompts.size());
  FakeSession<double> session(language, prompts);
  auto const texts =
      decode(session, Greedy{.max_new_tokens = 9, .end_tokens = {0}, .on_token = [&](Index text, Token token) {
                               heard[static_cast<std::size_t>(text)].push_back(token);
                             }});
  for (std::size_t p = 0; p < prompts.size(); ++p) EXPECT_EQ(heard[p], texts[p][0].tokens);
}

TEST(Greedy, EqualLogitsGoToTheLowestToken) {
  graft::testing::Language const flat = [](Tokens const&) { return std::vector<double>{0, 2, 1, 2}; };
  EXPECT_EQ(generate_alone(flat, {1}, Greedy{.max_new_tokens = 1})[0].tokens, Tokens{1});
}

TEST(Greedy, NoPromptsGiveNoTexts) {
  FakeSession<double> session(random_language(1, 5), {});
  EXPECT_TRUE(decode(session, Greedy{}).empty());
}

TEST(Greedy, RefusesLogitsThatAreNoNumbers) {
  graft::testing::Language const broken = [](Tokens const&) {
    return std::vector<double>{0, std::numeric_limits<double>::quiet_NaN(), 1};
  };
  EXPECT_THROW((void)generate_alone(broken, {1}, Greedy{}), NumericError);
}

}  // namespace
