#include <gtest/gtest.h>
#include <graft/metrics/rouge.hpp>
#include <graft/metrics/rouge_e2e.hpp>

#include <string>
#include <vector>

#include "goldens.hpp"

namespace {

using graft::corpus_rouge;
using graft::rouge;

TEST(Rouge, EqualsRougeScore) {
  auto const first = rouge(golden_hypotheses[0], golden_references[0]);
  EXPECT_NEAR(first.rouge1.f1, 100.0, 1e-9);
  EXPECT_NEAR(first.rouge2.f1, 84.61538461538461, 1e-9);
  EXPECT_NEAR(first.rougeL.precision, 71.42857142857143, 1e-9);
  EXPECT_NEAR(first.rougeL.recall, 90.9090909090909, 1e-9);
  EXPECT_NEAR(first.rougeL.f1, 80.0, 1e-9);
  auto const second = rouge(golden_hypotheses[1], golden_references[1]);
  EXPECT_NEAR(second.rouge1.f1, 80.0, 1e-9);
  EXPECT_NEAR(second.rouge2.precision, 71.42857142857143, 1e-9);
  EXPECT_NEAR(second.rouge2.recall, 62.5, 1e-9);
  EXPECT_NEAR(second.rougeL.f1, 80.0, 1e-9);
  auto const mean = corpus_rouge(golden_hypotheses, golden_references);
  EXPECT_NEAR(mean.rouge1.f1, 60.0, 1e-9);
  EXPECT_NEAR(mean.rougeL.f1, 160.0 / 3, 1e-9);
}

TEST(Rouge, EmptyAndIdenticalTexts) {
  EXPECT_EQ(rouge("", {"a b"}).rougeL.f1, 0.0);
  EXPECT_EQ(rouge("!!!", {"..."}).rouge1.f1, 0.0);
  EXPECT_EQ(rouge("word", {"word"}).rouge2.f1, 0.0);
  EXPECT_NEAR(rouge("A b, c", {"a B c"}).rougeL.f1, 100.0, 1e-12);
  EXPECT_THROW((void)rouge("a", {}), graft::ConfigError);
  EXPECT_THROW((void)corpus_rouge({"a"}, {}), graft::ConfigError);
  EXPECT_THROW((void)corpus_rouge({}, {}), graft::ConfigError);
}

TEST(LongestCommonSubsequence, AgreesWithRecursion) {
  using Words = std::vector<graft::detail::WordId>;
  struct Recursion {
    static std::size_t length(Words const& a, Words const& b, std::size_t i, std::size_t j) {
      if (i == a.size() || j == b.size()) return 0;
      if (a[i] == b[j]) return 1 + length(a, b, i + 1, j + 1);
      return std::max(length(a, b, i + 1, j), length(a, b, i, j + 1));
    }
  };
  graft::RandomKey const key(5);
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    Words a, b;
    for (std::uint64_t i = 0; i < 1 + trial % 8; ++i)
      a.push_back(static_cast<graft::detail::WordId>(key.with(trial).below(i, 3)));
    for (std::uint64_t i = 0; i < 1 + trial % 7; ++i)
      b.push_back(static_cast<graft::detail::WordId>(key.with(trial).below(100 + i, 3)));
    EXPECT_EQ(graft::detail::longest_common_subsequence(a, b), Recursion::length(a, b, 0, 0));
  }
  EXPECT_EQ(graft::detail::longest_common_subsequence({}, {1}), 0U);
}

TEST(E2eRougeL, CutsWordsAsTheTreebankDoes) {
  auto const words = graft::detail::treebank_words(
      "It's £20.50-priced; they don't say \"no\", cannot (5/10) in the U.K., and/or St. John's...");
  std::vector<std::string> const expected = {"it",   "'s",  "#",   "20.50-priced", "they", "do",    "n't", "say",
                                             "no",   "can", "not", "-lrb-",        "5/10", "-rrb-", "in",  "the",
                                             "u.k.", "and", "/",   "or",           "st.",  "john",  "'s"};
  EXPECT_EQ(words, expected);
}

// P = 2/2 from the second reference, R = 2/3 from the first: best of each on its own, β = 1.2.
TEST(E2eRougeL, CombinesBestPrecisionAndBestRecall) {
  double const p = 1.0, r = 2.0 / 3;
  EXPECT_NEAR(graft::e2e_rouge_l({"a b"}, {{"a x b", "a b c d"}}), 100 * 2.44 * p * r / (r + 1.44 * p), 1e-9);
  EXPECT_EQ(graft::e2e_rouge_l({""}, {{"a"}}), 0.0);
  EXPECT_THROW((void)graft::e2e_rouge_l({}, {}), graft::ConfigError);
}

}  // namespace
