// Searches over the tokens that a session finds or draws itself write what they write over all logits.
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

/// A session that finds the most probable tokens itself, and draws tokens.
class OwnSession : public FakeSession<double> {
 public:
  using FakeSession::FakeSession;

  [[nodiscard]] bool finds_top(Index count) const { return count <= 64; }
  [[nodiscard]] TopTokens<double> start_top(Index count) { return {asked(start()), count}; }
  [[nodiscard]] TopTokens<double> advance_top(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                              Index count) {
    return {asked(advance(parents, tokens)), count};
  }
  [[nodiscard]] bool draws() const { return true; }
  [[nodiscard]] DrawnTokens start_drawn(Draws const& draws) { return {asked(start()), draws}; }
  [[nodiscard]] DrawnTokens advance_drawn(std::vector<Index> const& parents, std::vector<Token> const& tokens,
                                          Draws const& draws) {
    return {asked(advance(parents, tokens)), draws};
  }

  int steps = 0;  ///< in which it found or drew tokens

 private:
  Tensor<double> asked(Tensor<double> logits) { return ++steps, logits; }
};
static_assert(TopTokenSession<OwnSession> && !TopTokenSession<FakeSession<double>>);
static_assert(DrawingSession<OwnSession> && !DrawingSession<FakeSession<double>>);

/// Logits in steps of a half, of which many are equal.
Language coarse(Language language) {
  return [language = std::move(language)](Tokens const& tokens) {
    auto logits = language(tokens);
    for (double& z : logits) z = std::round(2 * z) / 2;
    return logits;
  };
}

template <class Settings>
void expect_same(Language const& language, Settings const& settings) {
  std::vector<Tokens> const prompts{{1, 2}, {3}, {4, 1, 2}};
  FakeSession<double> all(language, prompts);
  OwnSession own(language, prompts);
  auto const expected = decode(all, settings), got = decode(own, settings);
  EXPECT_GT(own.steps, 0);
  EXPECT_EQ(got.size(), expected.size());
  for (std::size_t p = 0; p < expected.size(); ++p) {
    EXPECT_EQ(got[p].size(), expected[p].size());
    for (std::size_t t = 0; t < expected[p].size(); ++t) {
      EXPECT_EQ(got[p][t].tokens, expected[p][t].tokens) << "prompt " << p << ", text " << t;
      EXPECT_NEAR(got[p][t].score, expected[p][t].score, 1e-9);
    }
  }
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

/// A language in which some tokens are impossible.
Language with_gaps(Language language) {
  return [language = std::move(language)](Tokens const& tokens) {
    auto logits = language(tokens);
    for (std::size_t v = tokens.size() % 3; v < logits.size(); v += 3) logits[v] = -HUGE_VAL;
    return logits;
  };
}

TEST(DrawnTokens, GiveTheSameSamples) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Sampling settings{.max_new_tokens = 6};
    settings.temperature = 0.7, settings.seed = seed, settings.sequences = 3;
    if (seed % 2 == 0) settings.top_k = 1 + static_cast<Index>(seed % 12);
    if (seed % 3 == 0) settings.top_p = 0.8;
    if (seed % 5 == 0) settings.min_p = 0.05;
    if (seed % 7 == 0) settings.end_tokens = {0, 1};
    expect_same(random_language(seed, 40), settings);
    expect_same(coarse(random_language(seed, 40)), settings);
    expect_same(with_gaps(random_language(seed, 40)), settings);
    expect_same(random_language(seed, 3), settings);  // fewer tokens than top-k keeps
  }
}

TEST(DrawnTokens, AreRefusedWhereLogitsAreNoNumbers) {
  for (double const broken : {static_cast<double>(NAN), HUGE_VAL}) {
    auto const language = [=](Tokens const& tokens) {
      std::vector<double> logits(20, 0.0);
      if (tokens.size() == 4) logits[7] = broken;
      return logits;
    };
    OwnSession session(language, {{1, 2}});
    EXPECT_THROW((void)decode(session, Sampling{.max_new_tokens = 4}), NumericError);
  }
}

TEST(OwnTokens, AreNotAskedForWhereAProcessorChangesLogits) {
  auto const expect_none = [](auto settings) {
    settings.no_repeat_ngram = 1;
    OwnSession session(random_language(1, 30), {{1, 2}});
    FakeSession<double> plain(random_language(1, 30), {{1, 2}});
    EXPECT_EQ(decode(session, settings)[0][0].tokens, decode(plain, settings)[0][0].tokens);
    EXPECT_EQ(session.steps, 0);
  };
  expect_none(Greedy{.max_new_tokens = 8});
  expect_none(Sampling{.max_new_tokens = 8});
}

}  // namespace
