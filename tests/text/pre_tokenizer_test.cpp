// Unicode, UTF-8 and splitting. The expected words were recorded with Hugging Face tokenizers 0.23, which runs the
// regular expressions.
#include <graft/text/byte_alphabet.hpp>
#include <graft/text/normalizer.hpp>
#include <graft/text/pre_tokenizer.hpp>
#include <graft/text/utf8.hpp>

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace {

using graft::PreTokenizer;
using graft::PreTokenizerStep;
using Words = std::vector<std::string>;

Words split(std::vector<PreTokenizerStep> steps, std::string const& text) {
  Words words;
  PreTokenizer(std::move(steps)).for_each_word(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

struct Case {
  PreTokenizerStep step;
  std::string text;
  Words words;
};

std::vector<Case> const recorded{
    {PreTokenizerStep::split_gpt2,
     "I'm you're we'LL they'D  it's",
     {"I", "'m", " you", "'re", " we", "'", "LL", " they", "'", "D", " ", " it", "'s"}},
    {PreTokenizerStep::split_gpt2, "a  b\n\n c \t d   ", {"a", " ", " b", "\n\n", " c", " \t", " d", "   "}},
    {PreTokenizerStep::split_gpt2, "12345 x2 \u00bd\u2167", {"12345", " x", "2", " \u00bd\u2167"}},
    {PreTokenizerStep::split_gpt2,
     " \u00e9t\u00e9 e\u0301 \u65e5\u672c",
     {" \u00e9t\u00e9", " e", "\u0301", " \u65e5\u672c"}},
    {PreTokenizerStep::split_gpt2, "!?\r\n\r\n ...\n x", {"!?", "\r\n\r\n", " ...", "\n", " x"}},
    {PreTokenizerStep::split_gpt2,
     "tab\tsep\u00a0nb \u3000wide",
     {"tab", "\t", "sep", "\u00a0", "nb", " ", "\u3000", "wide"}},
    {PreTokenizerStep::split_gpt2, "'\u017f 'S", {"'", "\u017f", " '", "S"}},
    {PreTokenizerStep::split_gpt2, "  12  ", {" ", " 12", "  "}},
    {PreTokenizerStep::split_llama3,
     "I'm you're we'LL they'D  it's",
     {"I", "'m", " you", "'re", " we", "'LL", " they", "'D", " ", " it", "'s"}},
    {PreTokenizerStep::split_llama3, "12345 x2 \u00bd\u2167", {"123", "45", " x", "2", " ", "\u00bd\u2167"}},
    {PreTokenizerStep::split_llama3,
     " \u00e9t\u00e9 e\u0301 \u65e5\u672c",
     {" \u00e9t\u00e9", " e", "\u0301", " \u65e5\u672c"}},
    {PreTokenizerStep::split_llama3, "!?\r\n\r\n ...\n x", {"!?\r\n\r\n", " ...\n", " x"}},
    {PreTokenizerStep::split_llama3, "tab\tsep\u00a0nb \u3000wide", {"tab", "\tsep", "\u00a0nb", " ", "\u3000wide"}},
    {PreTokenizerStep::split_llama3, "'\u017f 'S", {"'\u017f", " '", "S"}},
    {PreTokenizerStep::split_llama3, "\n \n  a'", {"\n \n", " ", " a", "'"}},
    {PreTokenizerStep::split_llama3, "  12  ", {" ", " ", "12", "  "}},
    {PreTokenizerStep::split_qwen2,
     "12345 x2 \u00bd\u2167",
     {"1", "2", "3", "4", "5", " x", "2", " ", "\u00bd", "\u2167"}},
    {PreTokenizerStep::split_qwen2, "a  b\n\n c \t d   ", {"a", " ", " b", "\n\n", " c", " \t", " d", "   "}},
    {PreTokenizerStep::digits, "12345 x2 \u00bd\u2167", {"1", "2", "3", "4", "5", " x", "2", " ", "\u00bd", "\u2167"}},
    {PreTokenizerStep::digits, "  12  ", {"  ", "1", "2", "  "}},
    {PreTokenizerStep::digit_runs, "12345 x2 \u00bd\u2167", {"12345", " x", "2", " ", "\u00bd\u2167"}},
};

TEST(PreTokenizer, SplitsAsTheRegularExpressionsDo) {
  for (Case const& c : recorded) EXPECT_EQ(split({c.step}, c.text), c.words) << c.text;
}

TEST(PreTokenizer, StepsApplyToThePiecesOfTheStepBefore) {
  EXPECT_EQ(split({PreTokenizerStep::digits, PreTokenizerStep::split_gpt2}, "a  1b"), (Words{"a", "  ", "1", "b"}));
  EXPECT_EQ(split({PreTokenizerStep::digits, PreTokenizerStep::prefix_space, PreTokenizerStep::split_gpt2}, "a12 b"),
            (Words{" a", " 1", " 2", " b"}));
  EXPECT_EQ(split({PreTokenizerStep::prefix_space, PreTokenizerStep::split_gpt2}, "\na"), (Words{" ", "\n", "a"}));
  EXPECT_EQ(split({}, "a b"), (Words{"a b"}));
  EXPECT_TRUE(split({PreTokenizerStep::prefix_space}, "").empty());
}

TEST(PreTokenizer, WordsPutTogetherAreTheText) {
  for (Case const& c : recorded) {
    std::string all;
    for (auto const& word : split({c.step}, c.text)) all += word;
    EXPECT_EQ(all, c.text);
  }
}

TEST(PreTokenizer, OnlyKnownPatternsAreFound) {
  EXPECT_EQ(graft::find_split_pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"),
            graft::SplitPattern::gpt2);
  EXPECT_FALSE(graft::find_split_pattern(R"((a+)+$)"));
  EXPECT_FALSE(graft::find_split_pattern(""));
}

TEST(Utf8, IllFormedBytesAreReplacedByMaximalSubparts) {
  // The Unicode standard's table 3-8, and the forms that it forbids: overlong, surrogate, beyond U+10FFFF.
  EXPECT_EQ(graft::replace_invalid_utf8("a\xF1\x80\x80\xE1\x80\xC2z\x80w\x80\xBFq"),
            "a\uFFFD\uFFFD\uFFFDz\uFFFDw\uFFFD\uFFFDq");
  EXPECT_EQ(graft::replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(graft::replace_invalid_utf8("\xED\xA0\x80\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(graft::replace_invalid_utf8("12345678\xF0\x9F\x99"), "12345678\uFFFD");
  EXPECT_EQ(graft::replace_invalid_utf8("\u00e9\u65e5\U0001F642"), "\u00e9\u65e5\U0001F642");
}

TEST(Utf8, EveryCodePointSurvives) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    std::string text;
    graft::append_utf8(text, code);
    auto const c = graft::utf8_at(text, 0);
    ASSERT_TRUE(c.code == code && c.bytes == text.size() && c.state == graft::Utf8State::valid)
        << static_cast<unsigned>(code);
  }
}

TEST(ByteAlphabet, SpellsEveryByteByItsOwnPrintableCharacter) {
  std::set<std::string> letters;
  for (int byte = 0; byte < 256; ++byte) {
    std::string const raw(1, static_cast<char>(static_cast<unsigned char>(byte)));
    std::string back;
    graft::append_spelled_bytes(back, graft::spell_bytes(raw));
    EXPECT_EQ(back, raw);
    letters.insert(graft::spell_bytes(raw));
  }
  EXPECT_EQ(letters.size(), 256u);
  EXPECT_EQ(graft::spell_bytes(" the\n\xC3\xA9"), "ĠtheĊÃ©");
}

TEST(ByteAlphabet, ATokenOutsideTheAlphabetStandsForItself) {
  std::string out = "x";
  graft::append_spelled_bytes(out, "Ġa b");
  EXPECT_EQ(out, "xĠa b");
}

TEST(Normalizer, HasTheFourForms) {
  std::string const text = "e\u0301 \u00e9 \ufb01 \uac01 \U0001F642";
  EXPECT_EQ(graft::normalize(graft::NormalForm::none, text), text);
  EXPECT_EQ(graft::normalize(graft::NormalForm::nfc, text), "\u00e9 \u00e9 \ufb01 \uac01 \U0001F642");
  EXPECT_EQ(graft::normalize(graft::NormalForm::nfd, text), "e\u0301 e\u0301 \ufb01 \u1100\u1161\u11a8 \U0001F642");
  EXPECT_EQ(graft::normalize(graft::NormalForm::nfkc, text), "\u00e9 \u00e9 fi \uac01 \U0001F642");
  EXPECT_EQ(graft::normalize(graft::NormalForm::nfkd, text), "e\u0301 e\u0301 fi \u1100\u1161\u11a8 \U0001F642");
  std::string long_text;  // outgrows the first buffer
  for (int i = 0; i < 100; ++i) long_text += "\ufdfa";
  EXPECT_EQ(graft::normalize(graft::NormalForm::nfkd, long_text).size(), 100u * 33u);
}

}  // namespace
