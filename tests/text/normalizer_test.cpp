// What happens to a text before it is divided. The expected texts were recorded with Hugging Face tokenizers 0.23 and
// SentencePiece 0.2.3.
#include "small_sentencepiece.hpp"

#include <graft/text/normalizer.hpp>
#include <graft/text/pre_tokenizer.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using graft::BertNormalizer;
using graft::CharsMap;
using graft::NormalForm;
using graft::Normalizer;
using graft::PreTokenizerStep;
using graft::SentencePieceNormalizer;
using graft::TextPlace;
using Words = std::vector<std::string>;
namespace normalizing = graft::normalizing;

TEST(BertNormalizer, CleansAndLowers) {
  std::string const text =
      std::string("\u00c9t\u00e9") + '\0' + " \u4e2dA\u0301\t\u200b\u2028\u0130\u03a3 \ufffd\u00a0b";
  EXPECT_EQ(BertNormalizer()(text), "ete  \u4e2d a  i\u03c3  b");
  BertNormalizer cased;
  cased.lowercase = false;
  EXPECT_EQ(cased(text), "\u00c9t\u00e9  \u4e2d A\u0301  \u0130\u03a3  b");
  BertNormalizer accents;
  accents.strip_accents = false;
  accents.handle_chinese_chars = false;
  EXPECT_EQ(accents(text), "\u00e9t\u00e9 \u4e2da\u0301  i\u0307\u03c3  b");
  BertNormalizer unclean;
  unclean.clean_text = false;
  EXPECT_EQ(unclean("A\u0007\u200b\ufffd"), "a\u0007\u200b\ufffd");
  EXPECT_EQ(BertNormalizer()(""), "");
}

TEST(BertNormalizer, KnowsTheUnicodeOfItsDay) {
  using graft::detail::is_bert_punctuation;
  for (char32_t const code : {U'!', U'$', U'~', U'\u00bf', U'\u2042', U'\u166D', U'\U000111C9'})
    EXPECT_TRUE(is_bert_punctuation(code)) << +code;
  for (char32_t const code : {U'a', U'0', U' ', U'\u20ac', U'\u2e43', U'\u09fd'})
    EXPECT_FALSE(is_bert_punctuation(code)) << +code;
  EXPECT_TRUE(graft::detail::is_bert_control(U'\ue000') && graft::detail::is_bert_control(U'\u00ad'));
  EXPECT_FALSE(graft::detail::is_bert_control(U'\u0890') || graft::detail::is_bert_control(U'\n'));
}

TEST(Normalizer, Steps) {
  auto const run = [](normalizing::Step step, std::string const& text) { return Normalizer({std::move(step)})(text); };
  EXPECT_EQ(run(normalizing::Lowercase{}, "\u00c0\u03a3X"), "\u00e0\u03c3x");
  EXPECT_EQ(run(normalizing::StripAccents{}, "e\u0301\u00e9\u0488\u0903"), "e\u00e9");
  EXPECT_EQ(run(normalizing::Strip{}, " \u3000 a b\t\u2028"), "a b");
  EXPECT_EQ(run(normalizing::Strip{false, true}, " a "), " a");
  EXPECT_EQ(run(normalizing::Strip{true, false}, " a "), "a ");
  EXPECT_EQ(run(normalizing::Strip{}, "  "), "");
  EXPECT_EQ(run(normalizing::Prepend{"\u2581"}, "a"), "\u2581a");
  EXPECT_EQ(run(normalizing::Prepend{"\u2581"}, ""), "");
  EXPECT_EQ(run(normalizing::Replace{"aa", "b"}, "aaaxaa"), "baxb");
  EXPECT_EQ(run(normalizing::ReplaceSpaceRuns{"_"}, "  a b   c "), "_a b_c ");
  EXPECT_EQ(Normalizer({NormalForm::nfd, normalizing::StripAccents{}, normalizing::Lowercase{}})("\u00c9"), "e");
  EXPECT_TRUE(Normalizer().empty() && Normalizer(NormalForm::none).empty());
  EXPECT_EQ(Normalizer()("x"), "x");
}

TEST(NormalForm, LeavesCharactersYoungerThanUnicode9Alone) {
  EXPECT_EQ(graft::normalize(NormalForm::nfkc, "\u32ff\u32fe"), "\u32ff\u30f2");  // U+32FF is of 2019
}

TEST(Grapheme, KeepsLettersAndTheirAccentsTogether) {
  auto const clusters = [](std::string const& text) {
    Words out;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const end = graft::grapheme_end(text, at);
      out.push_back(text.substr(at, end - at));
      at = end;
    }
    return out;
  };
  EXPECT_EQ(clusters("ab\r\n\n"), (Words{"a", "b", "\r\n", "\n"}));
  EXPECT_EQ(clusters("e\u0301\u0323x\u0301"), (Words{"e\u0301\u0323", "x\u0301"}));
  EXPECT_EQ(clusters("\u1100\u1161\u11a8\u1100\uac00\u11a8"), (Words{"\u1100\u1161\u11a8", "\u1100\uac00\u11a8"}));
  EXPECT_EQ(clusters("\u00a9\u200dx\n\u0301"), (Words{"\u00a9\u200d", "x", "\n", "\u0301"}));
  EXPECT_EQ(clusters("\u0600a\u0903"), (Words{"\u0600a\u0903"}));
}

TEST(CharsMap, FindsItsRules) {
  CharsMap const map(small::chars_map({{'A', "a"}, {'\t', " "}, {'\x07', ""}, {'%', "per cent"}}), "test");
  EXPECT_EQ(map.longest("Ab")->replacement, "a");
  EXPECT_EQ(map.longest("Ab")->bytes, 1u);
  EXPECT_EQ(map.shortest("\x07")->replacement, "");
  EXPECT_EQ(map.longest("%")->replacement, "per cent");
  EXPECT_FALSE(map.longest("b") || map.longest("") || map.longest("\xff") || map.longest(std::string_view("\0", 1)));
}

TEST(Precompiled, AppliesRulesToShortClustersAsAWhole) {
  normalizing::Precompiled const precompiled{
      std::make_shared<CharsMap const>(small::chars_map({{'A', "a"}, {'E', "e"}}), "test")};
  EXPECT_EQ(precompiled("AB\u00e9"), "aB\u00e9");
  EXPECT_EQ(precompiled("A\u0301x"), "ax");  // three bytes: the rule of A takes the accent along
  EXPECT_EQ(precompiled("A\u0301\u0301\u0301"), "a\u0301\u0301\u0301");  // seven: each character by itself
}

TEST(SentencePieceNormalizer, TreatsSpacesAsItsSettingsSay) {
  SentencePieceNormalizer spm;
  EXPECT_EQ(spm("  a  b ", TextPlace::begins), "\u2581a\u2581b");
  EXPECT_EQ(spm("   ", TextPlace::begins), "");
  EXPECT_EQ(spm("", TextPlace::begins), "");
  spm.remove_extra_whitespaces = false;
  EXPECT_EQ(spm(" a  b ", TextPlace::begins), "\u2581\u2581a\u2581\u2581b\u2581");
  EXPECT_EQ(spm(" ", TextPlace::begins), "\u2581\u2581");
  spm.prefix = graft::PrefixSpace::first;
  EXPECT_EQ(spm("a", TextPlace::begins), "\u2581a");
  EXPECT_EQ(spm("a", TextPlace::inside), "a");
  spm.prefix = graft::PrefixSpace::always;
  spm.whitespace_as_suffix = true;
  EXPECT_EQ(spm("a b", TextPlace::inside), "a\u2581b\u2581");
  spm.escape_whitespaces = false;
  EXPECT_EQ(spm("a b", TextPlace::inside), "a b ");
}

TEST(SentencePieceNormalizer, PutsNoSpaceOfItsOwnWhereATextGoesOn) {
  SentencePieceNormalizer spm;
  EXPECT_EQ(spm("a b", TextPlace::continues), "a\u2581b");
  EXPECT_EQ(spm("  a  b ", TextPlace::continues),
            "\u2581a\u2581b");  // extra spaces are removed, the one between words stays
  spm.remove_extra_whitespaces = false;
  EXPECT_EQ(spm(" a", TextPlace::continues), "\u2581a");
  spm.prefix = graft::PrefixSpace::first;
  EXPECT_EQ(spm("a", TextPlace::continues), "a");
}

TEST(Normalizer, PrependsAndStripsNothingWhereATextGoesOn) {
  graft::Normalizer const llama(
      {graft::normalizing::Strip{}, graft::normalizing::Prepend{"\u2581"}, graft::normalizing::Replace{" ", "\u2581"}});
  EXPECT_EQ(llama(" the cat "), "\u2581the\u2581cat");
  EXPECT_EQ(llama(" the cat ", TextPlace::continues), "\u2581the\u2581cat");
  EXPECT_EQ(llama("the", TextPlace::continues), "the");
  EXPECT_TRUE(llama.puts_space_before());
  EXPECT_FALSE(graft::Normalizer(graft::NormalForm::nfc).puts_space_before());
}

TEST(SentencePieceNormalizer, AppliesTheLongestRuleAndLeavesUserDefinedPieces) {
  SentencePieceNormalizer spm;
  spm.chars_map =
      std::make_shared<CharsMap const>(small::chars_map({{'A', "a"}, {'\n', " "}, {'\x07', ""}, {'%', " x "}}), "test");
  EXPECT_EQ(spm("\n\nAA\n\nB\x07", TextPlace::begins), "\u2581aa\u2581B");
  EXPECT_EQ(spm("%A%", TextPlace::begins), "\u2581x\u2581a\u2581x");  // recorded: a rule may make spaces too
  auto kept = std::make_shared<graft::KeptTexts>();
  kept->texts.add("AA", 0, "test");
  kept->texts.add("AA B", 1, "test");
  kept->trie = graft::PieceTrie(kept->texts, {0, 1}, "test");
  spm.kept = kept;
  EXPECT_EQ(spm("AAA AA BA", TextPlace::begins), "\u2581AAa\u2581AA\u2581Ba");
}

Words split(std::vector<PreTokenizerStep> steps, std::string const& text,
            graft::TextPlace place = graft::TextPlace::begins) {
  Words words;
  graft::PreTokenizer(std::move(steps))
      .for_each_word(text, [&](std::string_view word) { words.emplace_back(word); }, place);
  return words;
}

TEST(PreTokenizer, WordsBetweenWhiteSpaceAndPunctuation) {
  EXPECT_EQ(split({PreTokenizerStep::whitespace}, " a,b \u3000 c\n"), (Words{"a,b", "c"}));
  EXPECT_EQ(split({PreTokenizerStep::bert}, " don't a--b \u00bfx\u0085y"),
            (Words{"don", "'", "t", "a", "-", "-", "b", "\u00bf", "x", "y"}));
  EXPECT_TRUE(split({PreTokenizerStep::bert}, " \t ").empty());
}

TEST(PreTokenizer, MetaspaceStepByStep) {
  using enum PreTokenizerStep;
  std::vector<PreTokenizerStep> const always{metaspaces, metaspace_prefix, split_metaspace},
      first{metaspaces, metaspace_prefix_first, split_metaspace};
  EXPECT_EQ(split(always, "Hey  friend "), (Words{"\u2581Hey", "\u2581", "\u2581friend", "\u2581"}));
  EXPECT_EQ(split(always, " Hey"), (Words{"\u2581Hey"}));
  EXPECT_EQ(split(first, "Hey", TextPlace::inside), (Words{"Hey"}));
  EXPECT_EQ(split(first, "Hey"), (Words{"\u2581Hey"}));
  EXPECT_EQ(split({whitespace, metaspaces, metaspace_prefix_first}, "a b"), (Words{"\u2581a", "b"}));
  EXPECT_EQ(split({whitespace, metaspaces, metaspace_prefix}, " a b"), (Words{"\u2581a", "\u2581b"}));
  EXPECT_EQ(split(always, "Hey", TextPlace::continues), (Words{"Hey"}));
  EXPECT_EQ(split(first, " Hey", TextPlace::continues), (Words{"\u2581Hey"}));
  EXPECT_EQ(split({whitespace, metaspaces, metaspace_prefix}, " a b", TextPlace::continues),
            (Words{"\u2581a", "\u2581b"}));
  EXPECT_EQ(split({prefix_space, split_gpt2}, "a b"), (Words{" a", " b"}));
  EXPECT_EQ(split({prefix_space, split_gpt2}, "a b", TextPlace::continues), (Words{"a", " b"}));
  EXPECT_EQ(split({whitespace, metaspace_prefix_first}, " a"),
            (Words{"a"}));  // the text begins with a space, not with this piece
}

}  // namespace
