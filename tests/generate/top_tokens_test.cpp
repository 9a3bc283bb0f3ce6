// Searches over the most probable tokens that a session finds write what they write over all logits.
#include <gtest/gtest.h>

#include <cmath>

#include <graft/generate/beam_search.hpp>
#include <graft/generate/sampling.hpp>

#include "fake_session.hpp"

namespace {

using namespace graft;
using graft::testing::FakeSession;
using graft::testing::Language;
using graft::testing::random_language;
using graft::testing::Tokens;

/// A session that finds the most probable tokens itself.
class TopSession : public FakeSession<double> {
 public:
  using FakeSession::FakeSession;

  [[nodiscard]] bool finds_top(Index count) const { return count <= 64; }
  [[nodiscard]] TopTokens<double> start_top(Index count) { return {last_ = start(), count}; }
  [[nodiscard]] TopTokens<double> advance_top(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                              Index count) {
    return {last_ = advance(parents, tokens), count};
  }
  [[nodiscard]] Tensor<double> last_logits() const {
    ++asked;
    return clone(last_);
  }

  mutable int asked = 0;  ///< how often all logits were read

 private:
  Tensor<double> last_;
};
static_assert(TopTokenSession<TopSession> && !TopTokenSession<FakeSession<double>>);

/// Logits in steps of a half, of which many are equal.
Language coarse(Language language) {
  return [language = std::move(language)](Tokens const& tokens) {
    auto logits = language(tokens);
    for (double& z : logits) z = std::round(2 * z) / 2;
    return logits;
  };
}

/// How often all logits were read.
template <class Settings>
int expect_same(Language const& language, Settings const& settings) {
  std::vector<Tokens> const prompts{{1, 2}, {3}, {4, 1, 2}};
  FakeSession<double> all(language, prompts);
  TopSession top(language, prompts);
  auto const expected = decode(all, settings), got = decode(top, settings);
  EXPECT_EQ(got.size(), expected.size());
  for (std::size_t p = 0; p < expected.size(); ++p) {
    EXPECT_EQ(got[p].size(), expected[p].size());
    for (std::size_t t = 0; t < expected[p].size(); ++t) {
      EXPECT_EQ(got[p][t].tokens, expected[p][t].tokens) << "prompt " << p << ", text " << t;
      EXPECT_NEAR(got[p][t].score, expected[p][t].score, 1e-9);
    }
  }
  return top.asked;
}

TEST(TopTokens, GiveTheSameGreedyTexts) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Greedy settings{.max_new_tokens = 8};
    settings.end_tokens = {0};
    expect_same(random_language(seed, 30, 1), settings);
    expect_same(coarse(random_language(seed, 30, 1)), settings);
  }
}

TEST(TopTokens, GiveTheSameBeams) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    BeamSearch settings{.max_new_tokens = 8, .beams = 3};
    settings.end_tokens = {0};
    expect_same(random_language(seed, 30, 1), settings);
    expect_same(random_language(seed, 4, 1), settings);  // fewer tokens than candidates
  }
}

TEST(TopTokens, GiveTheSameSamples) {
  int asked = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Sampling settings{.max_new_tokens = 6};
    settings.temperature = 0.7, settings.seed = seed, settings.sequences = 2;
    settings.top_k = 1 + static_cast<Index>(seed % 12);
    if (seed % 3 == 0) settings.top_p = 0.8;
    if (seed % 4 == 0) settings.min_p = 0.05;
    EXPECT_EQ(expect_same(random_language(seed, 40), settings), 0) << "no two logits are equal";
    asked += expect_same(coarse(random_language(seed, 40)), settings);
    expect_same(random_language(seed, 3), settings);  // fewer tokens than top-k keeps
  }
  EXPECT_GT(asked, 0) << "more equal logits than are asked for";
}

TEST(TopTokens, AreNotAskedForWhereAProcessorChangesLogits) {
  Greedy settings{.max_new_tokens = 8};
  settings.no_repeat_ngram = 1;
  TopSession session(random_language(1, 30), {{1, 2}});
  FakeSession<double> plain(random_language(1, 30), {{1, 2}});
  EXPECT_EQ(decode(session, settings)[0][0].tokens, decode(plain, settings)[0][0].tokens);
}

}  // namespace
