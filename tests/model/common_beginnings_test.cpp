// The tree of common beginnings: every sequence stands in it, and nothing twice.
#include <gtest/gtest.h>

#include <graft/core/random.hpp>
#include <graft/nn/common_beginnings.hpp>

#include <map>
#include <set>

namespace {

using graft::CommonBeginnings;
using graft::Index;
using graft::ShareableSequence;
using Tokens = std::vector<graft::Token>;

CommonBeginnings of(std::vector<Tokens> const& sequences, Index worth = 1) {
  std::vector<ShareableSequence> beginnings;
  for (auto const& tokens : sequences) beginnings.push_back({tokens, static_cast<Index>(tokens.size())});
  return common_beginnings(beginnings, worth);
}
/// What stands in the tree up to an entry.
Tokens path(CommonBeginnings const& tree, std::vector<Tokens> const& sequences, Index entry) {
  if (entry < 0) return {};
  auto const& shared = tree.shared[static_cast<std::size_t>(entry)];
  Tokens all = path(tree, sequences, shared.parent);
  EXPECT_EQ(static_cast<Index>(all.size()), shared.begin);
  auto const& own = sequences[static_cast<std::size_t>(shared.sequence)];
  all.insert(all.end(), own.begin() + shared.begin, own.begin() + shared.end);
  return all;
}

TEST(CommonBeginnings, StandInATree) {
  std::vector<Tokens> const sequences{{1, 2, 3, 4}, {1, 2, 3, 5}, {1, 2, 6}, {7}};
  auto const tree = of(sequences);
  ASSERT_EQ(tree.shared.size(), 2u);
  EXPECT_EQ(path(tree, sequences, tree.longest[0]), (Tokens{1, 2, 3}));
  EXPECT_EQ(tree.longest[0], tree.longest[1]);
  EXPECT_EQ(path(tree, sequences, tree.longest[2]), (Tokens{1, 2}));
  EXPECT_EQ(tree.longest[3], -1);
  EXPECT_EQ(tree.shared_of(0), 3);
  EXPECT_EQ(tree.shared_of(3), 0);
  EXPECT_EQ(tree.tokens(), 3);
}

TEST(CommonBeginnings, SmallOnesJoinWhatFollows) {
  std::vector<Tokens> const sequences{{1, 2, 3, 4, 5}, {1, 2, 3, 4, 6}, {1, 9}};
  auto const tree = of(sequences, 3);  // the 1 of all three would save two tokens
  ASSERT_EQ(tree.shared.size(), 1u);
  EXPECT_EQ(path(tree, sequences, 0), (Tokens{1, 2, 3, 4}));
  EXPECT_EQ(tree.longest[2], -1);
}

TEST(CommonBeginnings, KeepToLimitsAndAdapters) {
  Tokens const tokens{1, 2, 3, 4};
  auto const tree =
      graft::common_beginnings({{tokens, 3, 0}, {tokens, 2, 0}, {tokens, 4, 0}, {tokens, 4, 5}, {tokens, 4, 5}});
  EXPECT_EQ(tree.shared_of(1), 2);
  EXPECT_EQ(tree.shared_of(0), 3);
  EXPECT_EQ(tree.shared_of(2), 3);
  EXPECT_EQ(tree.shared_of(3), 4);
  EXPECT_EQ(tree.longest[3], tree.longest[4]);
  EXPECT_EQ(tree.tokens(), 3 + 4);
  EXPECT_TRUE(graft::common_beginnings({{tokens, 0, 0}, {tokens, 0, 0}}).shared.empty());
  EXPECT_TRUE(graft::common_beginnings({{{}, 3, 0}, {{}, 3, 0}}).shared.empty());
  EXPECT_TRUE(graft::common_beginnings({}).longest.empty());
}

/// As a trie of single tokens counts them: a token after the same ones stands once where two or more have it.
TEST(CommonBeginnings, ShareAllThatRandomSequencesHaveInCommon) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    graft::RandomKey const key(seed);
    std::vector<Tokens> sequences;
    std::vector<ShareableSequence> beginnings;
    for (std::uint64_t i = 0; i < 3 + key.below(0, 30); ++i) {
      Tokens own;
      for (std::uint64_t k = 0; k < key.with(i).below(0, 9); ++k)
        own.push_back(static_cast<graft::Token>(key.with(i).below(k + 1, 2)));
      sequences.push_back(own);
    }
    for (std::size_t i = 0; i < sequences.size(); ++i)
      beginnings.push_back({sequences[i], static_cast<Index>(key.with("limit").below(i, 9))});
    auto const tree = graft::common_beginnings(beginnings);
    std::map<Tokens, int> trie;
    for (auto const& b : beginnings)
      for (Index n = 1; n <= std::min(b.limit, static_cast<Index>(b.tokens.size())); ++n)
        ++trie[Tokens(b.tokens.begin(), b.tokens.begin() + n)];
    Index expected = 0;
    for (auto const& [tokens, count] : trie) expected += count > 1;
    EXPECT_EQ(tree.tokens(), expected) << seed;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      auto const shared = path(tree, sequences, tree.longest[i]);
      EXPECT_LE(static_cast<Index>(shared.size()), beginnings[i].limit);
      EXPECT_EQ(shared, Tokens(sequences[i].begin(), sequences[i].begin() + static_cast<Index>(shared.size())));
    }
    for (std::size_t s = 0; s < tree.shared.size(); ++s) EXPECT_LT(tree.shared[s].parent, static_cast<Index>(s));
  }
}

TEST(CommonBeginnings, MayBeAsDeepAsSequencesAreLong) {
  std::vector<Tokens> sequences;
  for (std::size_t length = 1; length <= 1500; ++length) sequences.emplace_back(length, 1);
  EXPECT_EQ(of(sequences).tokens(), 1499);
}

}  // namespace
