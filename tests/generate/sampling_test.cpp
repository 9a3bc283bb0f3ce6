#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <graft/generate/sampling.hpp>

#include "fake_session.hpp"

namespace {

using namespace graft;
using graft::testing::FakeSession;
using graft::testing::random_language;
using graft::testing::Tokens;

// The distribution as transformers' warpers define it, each on the whole vocabulary, with the cumulative sum from the
// least probable token on.
std::vector<double> reference(std::vector<double> scores, Sampling const& s) {
  double const none = -std::numeric_limits<double>::infinity();
  auto const softmax = [](std::vector<double> z) {
    double sum = 0;
    for (double& v : z) sum += v = std::exp(v);
    for (double& v : z) v /= sum;
    return z;
  };
  for (double& z : scores) z /= s.temperature;
  if (s.top_k > 0) {
    auto sorted = scores;
    std::sort(sorted.rbegin(), sorted.rend());
    double const bound = sorted[std::min(sorted.size(), static_cast<std::size_t>(s.top_k)) - 1];
    for (double& z : scores)
      if (z < bound) z = none;
  }
  if (s.top_p < 1) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
    auto const p = softmax(scores);
    double below = 0;
    for (std::size_t i = 0; i + 1 < order.size(); ++i)
      if ((below += p[order[i]]) <= 1 - s.top_p) scores[order[i]] = none;
  }
  auto const p = softmax(scores);
  double const most = *std::max_element(p.begin(), p.end());
  for (std::size_t v = 0; v < p.size(); ++v)
    if (p[v] < s.min_p * most) scores[v] = none;
  return softmax(scores);
}

TEST(Sampling, CandidatesAreTheWarpersDistribution) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Index const vocabulary = 5 + static_cast<Index>(seed % 40);
    auto const scores = random_language(seed, vocabulary)({1});
    Sampling settings{.temperature = 0.3 + 0.01 * static_cast<double>(seed)};
    if (seed % 2) settings.top_k = 1 + static_cast<Index>(seed % 9);
    if (seed % 3) settings.top_p = 0.005 * static_cast<double>(seed);
    if (seed % 5 == 0) settings.min_p = 0.001 * static_cast<double>(seed);
    auto const expected = reference(scores, settings);
    auto const kept = detail::sampling_candidates(scores.data(), vocabulary, settings);
    double total = 0;
    for (auto const& entry : kept) total += entry.weight;
    std::vector<double> p(scores.size(), 0.0);
    for (auto const& entry : kept) p[static_cast<std::size_t>(entry.token)] = entry.weight / total;
    for (std::size_t v = 0; v < p.size(); ++v)
      EXPECT_NEAR(p[v], expected[v], 1e-12) << "seed " << seed << ", token " << v;
  }
}

TEST(Sampling, TiesAtTheBoundary) {
  std::vector<double> const flat(4, 0.0);
  auto const tokens = [&](Sampling const& s) {
    Tokens kept;
    for (auto const& entry : detail::sampling_candidates(flat.data(), 4, s)) kept.push_back(entry.token);
    return kept;
  };
  EXPECT_EQ(tokens({.top_k = 2}), (Tokens{0, 1, 2, 3}));
  EXPECT_EQ(tokens({.top_p = 0.6}), (Tokens{1, 2, 3}));
  EXPECT_EQ(tokens({.top_p = 0.0}), (Tokens{3}));
}

TEST(Sampling, FrequenciesMatchTheProbabilities) {
  auto const language = random_language(17, 12, 0, 1);
  Tokens const prompt{4, 2};
  Sampling settings{.max_new_tokens = 2, .temperature = 0.9, .top_p = 0.95, .seed = 99, .sequences = 40000};
  FakeSession<double> session(language, {prompt});
  auto const texts = decode(session, settings).at(0);
  for (int position : {0, 1}) {
    std::vector<double> count(12, 0.0), expected(12, 0.0);
    for (auto const& text : texts)
      count[static_cast<std::size_t>(text.tokens[static_cast<std::size_t>(position)])] += 1;
    auto const first = reference(language(prompt), settings);
    for (std::size_t a = 0; a < 12; ++a) {
      auto const second = reference(language({4, 2, static_cast<Token>(a)}), settings);
      for (std::size_t b = 0; b < 12; ++b) expected[position == 0 ? a : b] += first[a] * second[b];
    }
    double chi_square = 0;
    for (std::size_t v = 0; v < 12; ++v) {
      if (expected[v] == 0) {
        EXPECT_EQ(count[v], 0);
        continue;
      }
      double const mean = 40000 * expected[v];
      chi_square += (count[v] - mean) * (count[v] - mean) / mean;
    }
    EXPECT_LT(chi_square, 31.3) << "position " << position;  // 99.9 % quantile of 11 degrees of freedom
  }
}

TEST(Sampling, ATextDependsOnItsOwnPromptAlone) {
  auto const language = random_language(21, 30, -1.0);
  std::vector<Tokens> const prompts{{3, 1, 4}, {1}, {5, 9, 2, 6, 5}, {3, 1, 4}};
  Sampling settings{.max_new_tokens = 12, .end_tokens = {0}, .seed = 7, .sequences = 3};
  FakeSession<double> session(language, prompts);
  auto const batch = decode(session, settings);
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    settings.first_prompt = static_cast<Index>(p);
    auto const alone = graft::testing::generate_alone(language, prompts[p], settings);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(alone[i].tokens, batch[p][i].tokens);
      EXPECT_EQ(alone[i].score, batch[p][i].score);
    }
  }
  EXPECT_NE(batch[0][0].tokens, batch[3][0].tokens);  // the same prompt, another number
  EXPECT_NE(batch[0][0].tokens, batch[0][1].tokens);
  settings.first_prompt = 0;
  settings.seed = 8;
  FakeSession<double> other(language, prompts);
  EXPECT_NE(decode(other, settings)[0][0].tokens, batch[0][0].tokens);
}

TEST(Sampling, TheScoreIsTheModelsLogProbability) {
  auto const language = random_language(22, 15, 0.5);
  auto const texts = graft::testing::generate_alone(language, {3, 3},
                                                    Sampling{.max_new_tokens = 8,
                                                             .end_tokens = {0},
                                                             .repetition_penalty = 1.5,
                                                             .temperature = 0.5,
                                                             .top_k = 4,
                                                             .sequences = 5});
  for (auto const& text : texts) {
    Tokens all{3, 3};
    double score = 0;
    for (Token token : text.tokens) {
      score += graft::testing::log_probabilities(language, all)[static_cast<std::size_t>(token)];
      all.push_back(token);
    }
    EXPECT_NEAR(text.score, score, 1e-12);
  }
}

TEST(Sampling, NeverDrawsAForbiddenToken) {
  std::vector<double> const scores{-std::numeric_limits<double>::infinity(), 1.0,
                                   -std::numeric_limits<double>::infinity()};
  auto const kept = detail::sampling_candidates(scores.data(), 3, {});
  for (double u : {0.0, 0.5, 0.9999999999999999}) EXPECT_EQ(detail::draw(kept, u), 1);
}

}  // namespace
