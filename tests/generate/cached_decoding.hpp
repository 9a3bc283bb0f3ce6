// What must hold for decoding with a cache, whatever the model: the logits are those of a model that sees the whole
// text anew.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include <graft/generate/generate.hpp>

#include "adaptations.hpp"
#include "support/worst.hpp"

namespace graft::testing {

using Tokens = std::vector<Token>;

inline Tokens random_tokens(Index count, RandomKey key) {
  Tokens tokens;
  for (Index i = 0; i < count; ++i)
    tokens.push_back(static_cast<Token>(key.below(static_cast<std::uint64_t>(i), tiny_vocabulary)));
  return tokens;
}

inline std::vector<Tokens> ragged_prompts() {
  std::vector<Tokens> prompts;
  for (Index length : {5, 1, 9, 2, 6})
    prompts.push_back(random_tokens(length, RandomKey(3).with(static_cast<std::uint64_t>(length))));
  return prompts;
}

/// Logits after prompt + text, without a cache and without neighbours.
template <class Model>
[[nodiscard]] Tensor<double> recomputed(Model& model, Tokens const& prompt, Tokens const& text) {
  NoGrad no_grad;
  Batch batch;
  Tokens target = text;
  target.push_back(0);  // the state before it is the last one
  append_causal_row(batch, {prompt, target, 0});
  batch.rows.targets.at = {batch.rows.tokens() - 1};
  batch.rows.targets.labels.clear();
  batch.rows.targets.weights.clear();
  return model.logits(batch).value();
}

inline double relative_difference(double const* a, double const* b, Index size) {
  double difference = 0, largest = 0;
  for (Index i = 0; i < size; ++i) {
    difference = graft::testing::worse(difference, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return difference / largest;
}

/// Decodes `steps` tokens along a random tree in which texts branch, end and change places; every row of logits is
/// compared.
template <class Model>
void expect_cached_is_recomputed(Model& model, std::vector<Tokens> const& prompts, Index steps,
                                 std::string const& name) {
  struct Text {
    std::size_t prompt;
    Tokens tokens;
  };
  ModelSession<Model> session(model, prompts);
  auto logits = session.start();
  std::vector<Text> texts;
  for (std::size_t p = 0; p < prompts.size(); ++p) texts.push_back({p, {}});
  auto const key = RandomKey(17);
  for (Index step = 0;; ++step) {
    ASSERT_EQ(logits.rows(), static_cast<Index>(texts.size()));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      auto const expected = recomputed(model, prompts[texts[i].prompt], texts[i].tokens);
      ASSERT_LE(relative_difference(logits.row(static_cast<Index>(i)), expected.data(), expected.size()), 1e-10)
          << name << ", step " << step << ", text " << i;
    }
    if (step == steps) break;
    auto const here = key.with(static_cast<std::uint64_t>(step));
    auto const count = static_cast<std::size_t>(step % 4 == 3 ? 2 : 6);
    std::vector<Index> parents;
    Tokens tokens;
    std::vector<Text> next;
    for (std::size_t i = 0; i < count; ++i) {
      auto const parent = here.with("parent").below(i, texts.size());
      parents.push_back(static_cast<Index>(parent));
      tokens.push_back(static_cast<Token>(here.with("token").below(i, tiny_vocabulary)));
      next.push_back(texts[parent]);
      next.back().tokens.push_back(tokens.back());
    }
    texts = std::move(next);
    logits = session.advance(parents, tokens);
  }
}

template <class Settings, class Model>
void expect_batch_is_one_by_one(Model& model, Settings settings, std::string const& name) {
  auto const prompts = ragged_prompts();
  auto const batch = generate(model, prompts, settings);
  ASSERT_EQ(batch.size(), prompts.size());
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    settings.first_prompt = static_cast<Index>(p);
    auto const alone = generate(model, {prompts[p]}, settings).at(0);
    ASSERT_EQ(alone.size(), batch[p].size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      EXPECT_EQ(alone[i].tokens, batch[p][i].tokens) << name << ", prompt " << p << ", text " << i;
      EXPECT_NEAR(alone[i].score, batch[p][i].score, 1e-10) << name << ", prompt " << p << ", text " << i;
    }
  }
}

template <Architecture A>
void expect_all_adaptations_decode_correctly() {
  each_adaptation<A>([](auto& model, std::string const& name) {
    expect_cached_is_recomputed(model, ragged_prompts(), 20, name);
    expect_batch_is_one_by_one(model, Greedy{.max_new_tokens = 20, .end_tokens = {4}}, name + ", greedy");
    expect_batch_is_one_by_one(model,
                               Sampling{.max_new_tokens = 9, .end_tokens = {4}, .top_k = 8, .seed = 5, .sequences = 2},
                               name + ", sampling");
    expect_batch_is_one_by_one(
        model,
        BeamSearch{.max_new_tokens = 20, .end_tokens = {4, 7}, .beams = 4, .length_penalty = 0.8, .sequences = 4},
        name + ", beams");
  });
}

}  // namespace graft::testing
