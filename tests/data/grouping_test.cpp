#include <gtest/gtest.h>
#include <graft/data/grouping.hpp>

#include <set>
#include <string>
#include <vector>

namespace {

using graft::Example;

std::vector<Example> rows(std::size_t sources, std::size_t texts) {
  std::vector<Example> examples;
  for (std::size_t t = 0; t < texts; ++t)
    for (std::size_t s = 0; s < sources; ++s)
      examples.push_back({"s" + std::to_string(s), "t" + std::to_string(s) + "." + std::to_string(t), {}, "d"});
  return examples;
}

std::vector<std::string> targets(std::vector<Example> const& examples) {
  std::vector<std::string> result;
  for (auto const& example : examples) result.push_back(example.target);
  return result;
}

TEST(GroupBySource, CollectsReferencesInOrder) {
  auto const groups = graft::group_by_source(rows(2, 3));
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[1].source, "s1");
  EXPECT_EQ(groups[1].target, "t1.0");
  EXPECT_EQ(groups[1].domain, "d");
  EXPECT_EQ(groups[1].references, (std::vector<std::string>{"t1.0", "t1.1", "t1.2"}));
  auto const again = graft::group_by_source(groups);
  EXPECT_EQ(again[1].references, groups[1].references);
}

TEST(ExpandReferences, UndoesGrouping) {
  EXPECT_EQ(targets(graft::expand_references(graft::group_by_source(rows(2, 2)))),
            (std::vector<std::string>{"t0.0", "t0.1", "t1.0", "t1.1"}));
  EXPECT_EQ(graft::expand_references(rows(1, 1)).size(), 1U);
}

TEST(Subsample, IsSeededOrderedAndWithoutReplacement) {
  auto const all = rows(50, 1);
  auto const some = targets(graft::subsample(all, 20, 3));
  EXPECT_EQ(some, targets(graft::subsample(all, 20, 3)));
  EXPECT_NE(some, targets(graft::subsample(all, 20, 4)));
  EXPECT_EQ(std::set<std::string>(some.begin(), some.end()).size(), 20U);
  std::size_t at = 0;
  for (auto const& example : all)
    if (at < some.size() && example.target == some[at]) ++at;
  EXPECT_EQ(at, some.size()) << "not in the original order";
  EXPECT_EQ(targets(graft::subsample(all, 50, 1)), targets(all));
  EXPECT_THROW((void)graft::subsample(all, 51, 1), graft::ConfigError);
}

TEST(Split, PartsShareNoSource) {
  auto const all = rows(10, 3);
  auto const parts = graft::split(all, 0.3, 7);
  EXPECT_EQ(parts.held_out.size(), 9U);
  EXPECT_EQ(parts.kept.size(), 21U);
  std::set<std::string> kept;
  for (auto const& example : parts.kept) kept.insert(example.source);
  for (auto const& example : parts.held_out) EXPECT_EQ(kept.count(example.source), 0U);
  EXPECT_EQ(targets(parts.held_out), targets(graft::split(all, 0.3, 7).held_out));
  EXPECT_EQ(graft::split(rows(2, 1), 0.01, 0).held_out.size(), 1U);
  EXPECT_EQ(graft::split(rows(2, 1), 0.99, 0).kept.size(), 1U);
  EXPECT_THROW((void)graft::split(rows(1, 4), 0.5, 0), graft::ConfigError);
  for (double const bad : {0.0, 1.0, -1.0, 2.0}) EXPECT_THROW((void)graft::split(all, bad, 0), graft::ConfigError);
}

}  // namespace
