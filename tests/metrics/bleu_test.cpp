#include <gtest/gtest.h>
#include <graft/metrics/bleu.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "goldens.hpp"

namespace {

using graft::BleuOptions;
using graft::BleuSmoothing;
using graft::corpus_bleu;
using graft::Tokenization;

std::string joined(std::vector<std::string> const& tokens) {
  std::string text;
  for (auto const& token : tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

TEST(Tokenize, EqualsSacrebleus13a) {
  EXPECT_EQ(joined(graft::tokenize(
                "Hello, world! It's 3.5 or 1,000... x-1 3-4 (a/b) &amp; &lt;b&gt; <skipped>U.K. $5 .5 5. ,a",
                Tokenization::sacrebleu)),
            "Hello , world ! It's 3.5 or 1,000 . . . x-1 3 - 4 ( a / b ) & < b > U . K . $ 5 . 5 5 . , a");
  EXPECT_EQ(joined(graft::tokenize("one-\ntwo\nthree\xe3\x80\x80"
                                   "four\xc2\xa0"
                                   "five \n",
                                   Tokenization::sacrebleu)),
            "onetwo three four five");
  EXPECT_TRUE(graft::tokenize(" \n", Tokenization::e2e).empty());
}

TEST(Tokenize, FoldsCaseInAnyScript) {
  EXPECT_EQ(joined(graft::tokenize("CAFÉ ΣΑΣ Über", Tokenization::none, true)), "café σας über");
  EXPECT_EQ(joined(graft::tokenize("CAFÉ.", Tokenization::e2e)), "café .");
  EXPECT_EQ(joined(graft::tokenize("CAFÉ.", Tokenization::sacrebleu)), "CAFÉ .");
  EXPECT_EQ(joined(graft::tokenize("CAFÉ.", Tokenization::none)), "CAFÉ.");
}

TEST(Tokenize, KnowsItsNames) {
  EXPECT_EQ(graft::parse_tokenization("e2e"), Tokenization::e2e);
  EXPECT_EQ(graft::parse_tokenization("13a"), Tokenization::sacrebleu);
  EXPECT_THROW((void)graft::parse_tokenization("intl"), graft::ConfigError);
}

TEST(CorpusBleu, EqualsSacrebleu) {
  auto const cased = corpus_bleu(golden_hypotheses, golden_references);
  EXPECT_NEAR(cased.score, 76.53544615608925, 1e-9);
  EXPECT_NEAR(cased.brevity_penalty, 0.9672161004820058, 1e-12);
  EXPECT_EQ(cased.hypothesis_length, 30);
  EXPECT_EQ(cased.reference_length, 31);
  EXPECT_EQ(cased.matches, (std::array<std::int64_t, 4>{27, 24, 19, 13}));
  EXPECT_EQ(cased.totals, (std::array<std::int64_t, 4>{30, 27, 24, 21}));
  EXPECT_NEAR(cased.precisions[3], 61.904761904761905, 1e-9);
  BleuOptions folded;
  folded.lowercase = true;
  EXPECT_NEAR(corpus_bleu(golden_hypotheses, golden_references, folded).score, 77.96663470671476, 1e-9);
  folded = {};
  folded.tokenization = Tokenization::e2e;
  EXPECT_NEAR(corpus_bleu(golden_hypotheses, golden_references, folded).score, 77.96663470671476, 1e-9);
}

TEST(CorpusBleu, SmoothsAsSacrebleuDoes) {
  auto const score = [](BleuSmoothing smoothing) {
    BleuOptions options;
    options.smoothing = smoothing;
    return corpus_bleu({"the cat sat on mats"}, {{"the cat is on a mat"}}, options).score;
  };
  EXPECT_EQ(score(BleuSmoothing::none), 0.0);
  EXPECT_NEAR(score(BleuSmoothing::floor), 10.29499418829739, 1e-9);
  EXPECT_NEAR(score(BleuSmoothing::add_k), 30.789214024300126, 1e-9);
  EXPECT_NEAR(score(BleuSmoothing::exp), 19.3576934939088, 1e-9);
  EXPECT_EQ(score(BleuSmoothing::matching), score(BleuSmoothing::exp));
}

// p1 = 2/3 (clipped), p2 = 1/2, and the brevity penalty of 3 tokens against the closest reference of 4: worked by hand.
TEST(CorpusBleu, ClipsMatchesAndTakesTheClosestLength) {
  BleuOptions options;
  options.tokenization = Tokenization::none;
  auto const bleu = corpus_bleu({"a a b"}, {{"x a b y", "a b c d e f"}}, options);
  EXPECT_EQ(bleu.matches, (std::array<std::int64_t, 4>{2, 1, 0, 0}));
  EXPECT_EQ(bleu.totals, (std::array<std::int64_t, 4>{3, 2, 1, 0}));
  EXPECT_EQ(bleu.reference_length, 4);
  EXPECT_NEAR(bleu.brevity_penalty, std::exp(1.0 - 4.0 / 3.0), 1e-12);
  EXPECT_EQ(bleu.score, 0.0);
  EXPECT_EQ(corpus_bleu({"a b c"}, {{"a b", "a b c d"}}, options).reference_length, 2)
      << "of two equally close lengths the shorter";
}

TEST(CorpusBleu, BoundsAndEmptyOutputs) {
  EXPECT_NEAR(corpus_bleu({"one two three four five", ""}, {{"one two three four five"}, {"x"}}).score,
              100.0 * std::exp(1.0 - 6.0 / 5.0), 1e-9);
  EXPECT_EQ(corpus_bleu({""}, {{"x"}}).score, 0.0);
  EXPECT_EQ(corpus_bleu({"x"}, {{""}}).score, 0.0);
  EXPECT_NEAR(corpus_bleu({"one two three four"}, {{"zzz", "one two three four"}}).score, 100.0, 1e-9);
}

TEST(CorpusBleu, RejectsWhatCannotBeScored) {
  EXPECT_THROW((void)corpus_bleu({}, {}), graft::ConfigError);
  EXPECT_THROW((void)corpus_bleu({"a"}, {}), graft::ConfigError);
  EXPECT_THROW((void)corpus_bleu({"a"}, {{}}), graft::ConfigError);
  BleuOptions negative;
  negative.smoothing_value = -1;
  EXPECT_THROW((void)corpus_bleu({"a"}, {{"a"}}, negative), graft::ConfigError);
  EXPECT_THROW((void)graft::parse_bleu_smoothing("laplace"), graft::ConfigError);
  EXPECT_EQ(graft::parse_bleu_smoothing("add-k"), BleuSmoothing::add_k);
}

}  // namespace
