#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <graft/generate/beam_search.hpp>

#include "fake_session.hpp"

namespace {

using namespace graft;
using graft::testing::FakeSession;
using graft::testing::Language;
using graft::testing::random_language;
using graft::testing::Tokens;

// The definition, for one prompt, step by step on whole lists: every continuation is listed and sorted.
std::vector<Generated> reference(Language const& language, Tokens const& prompt, BeamSearch const& s) {
  struct Hypothesis {
    Tokens text;
    double sum;
  };
  auto const joined = [&](Tokens const& text) {
    Tokens all = prompt;
    all.insert(all.end(), text.begin(), text.end());
    return all;
  };
  auto const is_end = [&](Token t) { return std::count(s.end_tokens.begin(), s.end_tokens.end(), t) > 0; };
  auto const k = static_cast<std::size_t>(s.beams);
  std::vector<Hypothesis> live{{{}, 0.0}};
  std::vector<Generated> done;
  for (Index length = 1; length <= s.max_new_tokens; ++length) {
    std::vector<Hypothesis> all;
    for (auto const& beam : live) {
      auto const log_p = graft::testing::log_probabilities(language, joined(beam.text));
      for (std::size_t v = 0; v < log_p.size(); ++v) {
        all.push_back({beam.text, beam.sum + log_p[v]});
        all.back().text.push_back(static_cast<Token>(v));
      }
    }
    std::stable_sort(all.begin(), all.end(), [](auto const& a, auto const& b) { return a.sum > b.sum; });
    all.resize(std::min(all.size(), k * std::max<std::size_t>(2, s.end_tokens.size() + 1)));
    live.clear();
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      bool const end = is_end(all[rank].text.back());
      if (end || length == s.max_new_tokens) {
        if (rank < k) done.push_back({all[rank].text, all[rank].sum / std::pow(length, s.length_penalty), end});
      } else if (live.size() < k) {
        live.push_back(all[rank]);
      }
    }
    std::stable_sort(done.begin(), done.end(), [](auto const& a, auto const& b) { return a.score > b.score; });
    if (done.size() > k) done.resize(k);
    if (live.empty()) break;
    if (done.size() < k) continue;
    if (s.early_stopping == EarlyStopping::when_full) break;
    Index const best_length =
        s.early_stopping == EarlyStopping::never && s.length_penalty > 0 ? s.max_new_tokens : length;
    if (live[0].sum / std::pow(best_length, s.length_penalty) <= done.back().score) break;
  }
  done.resize(std::min(done.size(), static_cast<std::size_t>(s.sequences)));
  return done;
}

void expect_same(std::vector<Generated> const& texts, std::vector<Generated> const& expected, std::string const& what) {
  ASSERT_EQ(texts.size(), expected.size()) << what;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i].tokens, expected[i].tokens) << what << ", text " << i;
    EXPECT_EQ(texts[i].finished, expected[i].finished) << what << ", text " << i;
    EXPECT_NEAR(texts[i].score, expected[i].score, 1e-12 * (1 + std::abs(expected[i].score))) << what << ", text " << i;
  }
}

std::vector<Tokens> ragged_prompts(Index vocabulary) {
  std::vector<Tokens> prompts;
  for (Index length : {3, 1, 7, 2, 5}) {
    prompts.emplace_back();
    for (Index i = 0; i < length; ++i) prompts.back().push_back(static_cast<Token>((i * 5 + length) % vocabulary));
  }
  return prompts;
}

std::vector<BeamSearch> variants() {
  std::vector<BeamSearch> all;
  for (double penalty : {0.8, 1.0, 1.6, -0.5, 0.0})
    for (auto early : {EarlyStopping::heuristic, EarlyStopping::when_full, EarlyStopping::never})
      for (Index beams : {2, 4, 5})
        all.push_back({.max_new_tokens = 9,
                       .end_tokens = {0},
                       .beams = beams,
                       .length_penalty = penalty,
                       .early_stopping = early,
                       .sequences = beams});
  all.push_back({.max_new_tokens = 6, .beams = 3, .sequences = 2});
  all.push_back({.max_new_tokens = 7, .end_tokens = {0, 3, 5}, .beams = 4, .length_penalty = 0.8, .sequences = 4});
  return all;
}

TEST(BeamSearch, FollowsTheDefinitionInRaggedBatches) {
  Index const vocabulary = 11;
  auto const prompts = ragged_prompts(vocabulary);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    auto const language = random_language(seed, vocabulary, 1.5 - 0.5 * static_cast<double>(seed));
    for (auto const& settings : variants()) {
      FakeSession<double> session(language, prompts);
      auto const texts = decode(session, settings);
      ASSERT_EQ(texts.size(), prompts.size());
      for (std::size_t p = 0; p < prompts.size(); ++p)
        expect_same(texts[p], reference(language, prompts[p], settings),
                    cat("seed ", seed, ", beams ", settings.beams, ", penalty ", settings.length_penalty, ", early ",
                        static_cast<int>(settings.early_stopping), ", prompt ", p));
    }
  }
}

TEST(BeamSearch, BatchEqualsOneByOne) {
  auto const prompts = ragged_prompts(11);
  auto const language = random_language(42, 11, 1.0);
  for (auto const& settings : variants()) {
    FakeSession<double> session(language, prompts);
    auto const texts = decode(session, settings);
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      auto const alone = graft::testing::generate_alone(language, prompts[p], settings);
      ASSERT_EQ(alone.size(), texts[p].size());
      for (std::size_t i = 0; i < alone.size(); ++i) {
        EXPECT_EQ(alone[i].tokens, texts[p][i].tokens);
        EXPECT_EQ(alone[i].score, texts[p][i].score);
      }
    }
  }
}

// Beams wide enough to lose nothing must rank every possible text as enumeration does.
TEST(BeamSearch, WideBeamsFindTheBestOfAllTexts) {
  Index const vocabulary = 4, longest = 4;
  for (double penalty : {0.8, 1.0, 1.6}) {
    auto const language = random_language(5, vocabulary, 0.5);
    Tokens const prompt{2, 1};
    std::vector<Generated> every;
    std::vector<std::pair<Tokens, double>> open{{{}, 0.0}};
    for (Index length = 1; length <= longest; ++length) {
      std::vector<std::pair<Tokens, double>> next;
      for (auto const& [text, sum] : open) {
        Tokens all = prompt;
        all.insert(all.end(), text.begin(), text.end());
        auto const log_p = graft::testing::log_probabilities(language, all);
        for (Token v = 0; v < vocabulary; ++v) {
          Tokens longer = text;
          longer.push_back(v);
          double const total = sum + log_p[static_cast<std::size_t>(v)];
          if (v == 0 || length == longest)
            every.push_back({longer, total / std::pow(length, penalty), v == 0});
          else
            next.emplace_back(longer, total);
        }
      }
      open = next;
    }
    std::sort(every.begin(), every.end(), [](auto const& a, auto const& b) { return a.score > b.score; });
    BeamSearch const settings{.max_new_tokens = longest,
                              .end_tokens = {0},
                              .beams = 200,
                              .length_penalty = penalty,
                              .early_stopping = EarlyStopping::never,
                              .sequences = 200};
    expect_same(graft::testing::generate_alone(language, prompt, settings), every, cat("penalty ", penalty));
  }
}

TEST(BeamSearch, OneBeamIsGreedySearch) {
  auto const language = random_language(3, 9, 0.5);
  for (auto const& prompt : ragged_prompts(9)) {
    auto const greedy =
        graft::testing::generate_alone(language, prompt, Greedy{.max_new_tokens = 12, .end_tokens = {0}});
    auto const beam = graft::testing::generate_alone(
        language, prompt, BeamSearch{.max_new_tokens = 12, .end_tokens = {0}, .beams = 1, .length_penalty = 0.8});
    EXPECT_EQ(greedy[0].tokens, beam[0].tokens);
    EXPECT_NEAR(beam[0].score, greedy[0].score / std::pow(static_cast<double>(greedy[0].tokens.size()), 0.8), 1e-12);
  }
}

/// Transformers' num_beams = 1 has no score: it is the model's own log p of every token. Several beams count a forced
/// token's as 0, as transformers' do.
TEST(BeamSearch, AForcedTokenCountsWithOneBeamAlone) {
  auto const language = random_language(4, 9);
  Tokens const prompt{2};
  for (double penalty : {0.0, 1.0, 0.8})
    for (Index beams : {1, 3}) {
      BeamSearch const settings{.max_new_tokens = 3,
                                .processors = {force_first(7), force_last(5, 3)},
                                .beams = beams,
                                .length_penalty = penalty};
      auto const text = graft::testing::generate_alone(language, prompt, settings).at(0);
      ASSERT_EQ(text.tokens.size(), 3u);
      EXPECT_EQ(text.tokens.front(), 7);
      EXPECT_EQ(text.tokens.back(), 5);
      Tokens before = prompt;
      double own = 0, free = 0;
      for (Token token : text.tokens) {
        double const one = graft::testing::log_probabilities(language, before)[static_cast<std::size_t>(token)];
        own += one;
        if (before.size() == 2) free = one;  // the token between the forced ones
        before.push_back(token);
      }
      EXPECT_NEAR(text.score, (beams == 1 ? own : free) / std::pow(3.0, penalty), 1e-12) << beams << " beams";
    }
}

TEST(BeamSearch, PromptsThatAreDoneLeaveTheBatch) {
  // Token 0 is nearly certain after a prompt that starts with 1, nearly impossible otherwise.
  Language const language = [](Tokens const& tokens) {
    std::vector<double> logits = random_language(8, 6)(tokens);
    logits[0] = tokens.front() == 1 ? 20 : -20;
    return logits;
  };
  FakeSession<double> session(language, {{1, 2}, {2, 3, 4}, {1}});
  auto const texts = decode(
      session,
      BeamSearch{.max_new_tokens = 6, .end_tokens = {0}, .beams = 2, .early_stopping = EarlyStopping::when_full});
  EXPECT_EQ(texts[0][0].tokens, Tokens{0});
  EXPECT_TRUE(texts[0][0].finished);
  EXPECT_FALSE(texts[1][0].finished);
  EXPECT_EQ(texts[1][0].tokens.size(), 6u);
  EXPECT_EQ(session.batch_sizes.front(), 6u);
  EXPECT_EQ(session.batch_sizes.back(), 2u);
  EXPECT_EQ(session.batch_sizes.size(), 5u);  // the last token needs no further call
}

TEST(BeamSearch, EqualScoresGoToTheLowestToken) {
  Language const flat = [](Tokens const&) { return std::vector<double>(5, 1.0); };
  auto const texts =
      graft::testing::generate_alone(flat, {1}, BeamSearch{.max_new_tokens = 2, .beams = 3, .sequences = 3});
  EXPECT_EQ(texts[0].tokens, (Tokens{0, 0}));
  EXPECT_EQ(texts[1].tokens, (Tokens{0, 1}));
  EXPECT_EQ(texts[2].tokens, (Tokens{0, 2}));
}

TEST(BeamSearch, SaysWhenEveryTokenIsForbidden) {
  BeamSearch const settings{.max_new_tokens = 8, .no_repeat_ngram = 1, .beams = 2};
  EXPECT_THROW((void)graft::testing::generate_alone(random_language(1, 4), {1, 2}, settings), ConfigError);
}

}  // namespace
