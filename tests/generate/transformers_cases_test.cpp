// Beam and greedy search against what transformers itself generated (make_transformers_cases.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <graft/generate/beam_search.hpp>

#include "fake_session.hpp"

namespace {

using graft::testing::Tokens;
constexpr graft::Index vocabulary = 13;

struct Case {
  std::uint64_t seed;
  Tokens prompt;
  graft::BeamSearch settings;
  std::vector<Tokens> texts;
  std::vector<double> scores;
};

std::vector<Case> const& cases() {
  static std::vector<Case> const all = {
#include "transformers_cases.inc"
  };
  return all;
}

/// The second-order Markov model of the script.
graft::testing::Language markov(std::uint64_t seed) {
  return [seed](Tokens const& tokens) {
    auto const v = static_cast<std::uint64_t>(vocabulary);
    std::uint64_t const before = tokens.size() > 1 ? static_cast<std::uint64_t>(tokens[tokens.size() - 2]) : 0;
    std::uint64_t const last = static_cast<std::uint64_t>(tokens.back());
    std::vector<double> logits;
    for (std::uint64_t token = 0; token < v; ++token)
      logits.push_back(
          static_cast<double>(graft::mix_bits(((seed * v + before) * v + last) * v + token) >> 11) * 0x1.0p-53 * 6 - 3);
    return logits;
  };
}

void expect_equal(Case const& expected, std::vector<graft::Generated> const& texts) {
  ASSERT_EQ(texts.size(), expected.texts.size()) << "case " << expected.seed;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i].tokens, expected.texts[i]) << "case " << expected.seed << ", text " << i;
    if (expected.settings.beams == 1) continue;  // transformers gives greedy search no score
    EXPECT_NEAR(texts[i].score, expected.scores[i], 2e-5 * std::max(0.1, std::abs(expected.scores[i])))
        << "case " << expected.seed;
  }
}

TEST(TransformersCases, TextsAndScoresAreEqual) {
  for (auto const& one : cases())
    expect_equal(one, graft::testing::generate_alone(markov(one.seed), one.prompt, one.settings));
}

TEST(TransformersCases, SinglePrecisionFindsTheSameTexts) {
  for (auto const& one : cases()) {
    graft::testing::FakeSession<float> session(markov(one.seed), {one.prompt});
    expect_equal(one, decode(session, one.settings).at(0));
  }
}

TEST(TransformersCases, TheyCoverWhatTheyShould) {
  int early = 0, cut = 0, processed = 0;
  for (auto const& one : cases()) {
    processed += !one.settings.processors.empty() || !one.settings.bad_words.empty();
    for (auto const& text : one.texts)
      ++(static_cast<graft::Index>(text.size()) < one.settings.max_new_tokens ? early : cut);
  }
  EXPECT_GT(processed, 60);
  EXPECT_GT(early, 50);
  EXPECT_GT(cut, 50);
}

}  // namespace
