#include <gtest/gtest.h>

#include <graft/train/batches.hpp>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace {

using graft::Batching;
using graft::Index;
using graft::StepBatches;

std::vector<Index> lengths_of(Index examples) {
  std::vector<Index> lengths;
  for (Index i = 0; i < examples; ++i) lengths.push_back(1 + (i * 37) % 50);
  return lengths;
}
std::vector<Index> flat(std::vector<StepBatches> const& plan) {
  std::vector<Index> all;
  for (auto const& step : plan)
    for (auto const& pass : step) all.insert(all.end(), pass.begin(), pass.end());
  return all;
}
Index tokens_of(std::vector<Index> const& pass, std::vector<Index> const& lengths) {
  Index sum = 0;
  for (Index i : pass) sum += lengths[static_cast<std::size_t>(i)];
  return sum;
}

TEST(Batches, AnEpochSeesEveryExampleOnce) {
  auto const lengths = lengths_of(103);
  for (Index accumulate : {1, 3})
    for (Index max_tokens : {0, 64}) {
      auto const plan = graft::plan_epoch(lengths, {5, accumulate, max_tokens, false, 7}, 2);
      EXPECT_EQ(static_cast<Index>(plan.size()), graft::steps_per_epoch(103, {5, accumulate, max_tokens, false, 7}));
      auto all = flat(plan);
      std::sort(all.begin(), all.end());
      std::vector<Index> expected(103);
      std::iota(expected.begin(), expected.end(), 0);
      EXPECT_EQ(all, expected);
      for (auto const& step : plan)
        for (auto const& pass : step) {
          EXPECT_FALSE(pass.empty());
          EXPECT_LE(pass.size(), 5u);
          EXPECT_TRUE(max_tokens == 0 || pass.size() == 1 || tokens_of(pass, lengths) <= max_tokens);
        }
    }
}

TEST(Batches, OrderIsAFunctionOfSeedAndEpoch) {
  auto const lengths = lengths_of(40);
  auto const plan = [&](std::uint64_t seed, Index epoch) {
    return flat(graft::plan_epoch(lengths, {4, 1, 0, false, seed}, epoch));
  };
  EXPECT_EQ(plan(1, 0), plan(1, 0));
  EXPECT_NE(plan(1, 0), plan(1, 1));
  EXPECT_NE(plan(1, 0), plan(2, 0));
}

TEST(Batches, StepsHoldTheSameExamplesHoweverTheyAreDivided) {
  auto const lengths = lengths_of(40);
  auto const sets = [&](Batching const& batching) {
    std::vector<std::set<Index>> steps;
    for (auto const& step : graft::plan_epoch(lengths, batching, 3)) {
      auto const all = flat({step});
      steps.emplace_back(all.begin(), all.end());
    }
    return steps;
  };
  auto const whole = sets({12, 1, 0, false, 5});
  EXPECT_EQ(whole, sets({4, 3, 0, false, 5}));
  EXPECT_EQ(whole, sets({12, 1, 60, false, 5}));
}

TEST(Batches, TheLastExamplesAreKeptOrDropped) {
  EXPECT_EQ(graft::steps_per_epoch(23, {5, 2, 0, false, 0}), 3);
  EXPECT_EQ(graft::steps_per_epoch(23, {5, 2, 0, true, 0}), 2);
  EXPECT_EQ(flat(graft::plan_epoch(lengths_of(23), {5, 2, 0, true, 0}, 0)).size(), 20u);
  EXPECT_THROW((void)graft::steps_per_epoch(9, {5, 2, 0, true, 0}), graft::ConfigError);
  EXPECT_THROW((void)graft::steps_per_epoch(0, {}), graft::ConfigError);
}

/// Examples of 1 to 9 sources; source s has 4 + s tokens.
std::vector<graft::TokenizedExample> with_sources(std::size_t examples) {
  std::vector<graft::TokenizedExample> all;
  for (std::size_t i = 0; i < examples; ++i) {
    auto const source = i * i % 9;
    all.push_back({std::vector<graft::Token>(4 + source, static_cast<graft::Token>(source)),
                   std::vector<graft::Token>(1 + i % 7, 1), i});
  }
  return all;
}

TEST(Batches, ExamplesOfOneSourceFollowEachOther) {
  auto const examples = with_sources(60);
  auto const shared = graft::examples_by_source(examples);
  std::vector<Index> lengths;
  for (auto const& example : examples)
    lengths.push_back(static_cast<Index>(example.source.size() + example.target.size()) - 1);
  EXPECT_EQ(shared.examples.size(), 4u);  // the squares modulo 9
  EXPECT_EQ(shared.shareable_tokens, (std::vector<Index>{3, 4, 7, 10}));
  EXPECT_TRUE(shared.any_shared());
  for (Index max_tokens : {0, 40, 3}) {
    auto const plan = graft::plan_epoch(lengths, {8, 2, max_tokens, false, 7}, 2, &shared);
    EXPECT_EQ(plan, graft::plan_epoch(lengths, {8, 2, max_tokens, false, 7}, 2, &shared));
    EXPECT_NE(plan, graft::plan_epoch(lengths, {8, 2, max_tokens, false, 7}, 3, &shared));
    EXPECT_NE(plan, graft::plan_epoch(lengths, {8, 2, max_tokens, false, 8}, 2, &shared));
    EXPECT_EQ(plan.size(), 4u);
    auto all = flat(plan);
    std::sort(all.begin(), all.end());
    std::vector<Index> expected(60);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
    std::size_t sources_of_steps = 0;
    for (auto const& step : plan) {
      std::set<Index> sources;
      for (auto const& pass : step) {
        std::map<Index, Index> own;  // source → examples
        Index tokens = 0;
        for (Index i : pass)
          tokens += lengths[static_cast<std::size_t>(i)], ++own[shared.source[static_cast<std::size_t>(i)]];
        for (auto const& [source, count] : own)
          tokens -= graft::saved_tokens(count, shared.shareable_tokens[static_cast<std::size_t>(source)]);
        EXPECT_LE(pass.size(), 8u);
        EXPECT_TRUE(max_tokens == 0 || pass.size() == 1 || tokens <= max_tokens);
        for (auto const& [source, count] : own) sources.insert(source);
      }
      sources_of_steps += sources.size();
    }
    EXPECT_LE(sources_of_steps, 4u + 3u) << "a source more for each border of steps";
  }
}
TEST(Batches, SourcesAreTheSameWhereTypesAndAdaptersAre) {
  auto examples = with_sources(4);
  for (auto& example : examples) example.source = {1, 2};
  examples[1].token_types = {0, 1};
  examples[2].adapter = 1;
  EXPECT_EQ(graft::examples_by_source(examples).source, (std::vector<Index>{0, 1, 2, 0}));
  EXPECT_FALSE(graft::examples_by_source({examples[0], examples[1]}).any_shared());
}

TEST(Batches, LongExamplesGoAloneAndPassesAreBalanced) {
  std::vector<Index> const lengths{100, 10, 10, 10, 10, 100};
  auto const plan = graft::divide_by_length({0, 1, 2, 3, 4, 5}, lengths, 6, 40);
  EXPECT_EQ(plan.size(), 3u);
  for (auto const& pass : plan) EXPECT_TRUE(pass.size() == 1 || tokens_of(pass, lengths) <= 40);
  auto const halves = graft::divide_by_length({0, 1, 2, 3, 4, 5}, lengths, 3);
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(tokens_of(halves[0], lengths), tokens_of(halves[1], lengths));
}

}  // namespace
