#include <gtest/gtest.h>

#include <graft/core/warning.hpp>
#include <graft/data/template.hpp>
#include <graft/io/sentencepiece_file.hpp>
#include <graft/text/sentencepiece_tokenizer.hpp>
#include <graft/text/tokenizer.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/small_sentencepiece.hpp"
#include "train/bytes_tokenizer.hpp"

namespace {

using graft::Example;
using graft::Template;
using graft::Token;
using graft::Truncation;

std::vector<Token> bytes(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Template, SourceAndTargetAsTheyAreTrainedAndGenerated) {
  BytesTokenizer const tokenizer;
  graft::TemplateEncoder const encoder(tokenizer, Template{});
  Truncation cut;
  auto const encoded = encoder.encode({{"a b", "c", {}, {}}, {"x", "yz", {}, {}}}, cut);
  ASSERT_EQ(encoded.size(), 2u);
  EXPECT_EQ(encoded[0].source, bytes("a b ->"));
  EXPECT_EQ(encoded[0].target, bytes(" c\x7f"));
  EXPECT_EQ(encoded[1].id, 1u);
  EXPECT_EQ(encoder.source("a b"), encoded[0].source);
  EXPECT_EQ(encoder.end_token(), 127);
  EXPECT_FALSE(cut.any());
}

TEST(Template, CutSourcesKeepTheSeparatorAndCutTargetsLoseTheEnd) {
  BytesTokenizer const tokenizer;
  graft::TemplateEncoder const encoder(tokenizer, Template{}, {6, 4});
  Truncation cut;
  auto const encoded = encoder.encode({{"abcdef", "uvwxyz", {}, {}}, {"abc", "uv", {}, {}}, {"a", "u", {}, {}}}, cut);
  EXPECT_EQ(encoded[0].source, bytes("abc ->"));
  EXPECT_EQ(encoder.source("abcdef"), encoded[0].source);
  EXPECT_EQ(encoded[0].target, bytes(" uvw"));
  EXPECT_EQ(encoded[1].source, bytes("abc ->"));
  EXPECT_EQ(encoded[1].target, bytes(" uv\x7f"));
  EXPECT_EQ(cut.sources, 1);
  EXPECT_EQ(cut.source_tokens, 3);
  EXPECT_EQ(cut.targets, 1);
  EXPECT_EQ(cut.target_tokens, 4);
}

TEST(Template, BeginAndEndTokens) {
  BytesTokenizer tokenizer;
  graft::TemplateEncoder const with_begin(tokenizer, Template{":", "", 5, true}, {4, 0});
  EXPECT_EQ(with_begin.source("abcd"), bytes("\x02"
                                             "ab:"));
  EXPECT_EQ(with_begin.end_token(), 5);
  tokenizer.special = {};
  EXPECT_THROW(graft::TemplateEncoder(tokenizer, Template{}), graft::ConfigError);
  EXPECT_THROW(graft::TemplateEncoder(tokenizer, Template{"", "", 5, true}), graft::ConfigError);
}

TEST(Template, LimitsThatLeaveNothingAreRefused) {
  BytesTokenizer const tokenizer;
  graft::TemplateEncoder const encoder(tokenizer, Template{}, {3, 0});
  EXPECT_THROW((void)encoder.source("abc"), graft::ConfigError);
  std::vector<graft::TokenizedExample> examples{{{1, 2, 3}, {4}, 0}};
  EXPECT_THROW(graft::limit_lengths(examples, {-1, 0}), graft::ConfigError);
}

/// One token a byte, and special tokens of its own around a text.
struct SpecialBytes : BytesTokenizer {
  graft::TextTemplate around;
  [[nodiscard]] graft::TextTemplate const& text_template() const { return around; }
};

/// Keeps what `graft::warn` says while it lives.
struct Warnings {
  std::vector<std::string> said;
  graft::WarningHandler before =
      graft::set_warning_handler([this](std::string const& sentence) { said.push_back(sentence); });
  Warnings() = default;
  Warnings(Warnings const&) = delete;
  Warnings& operator=(Warnings const&) = delete;
  ~Warnings() { graft::set_warning_handler(before); }
};

TEST(Template, TheTokenizersOwnSpecialTokensOfADecoder) {
  SpecialBytes const llama{{}, graft::TextTemplate::around(2, std::nullopt)};
  Truncation cut;
  auto const encoded = graft::TemplateEncoder(llama, Template{}).encode({{"a", "b", {}, {}}}, cut);
  EXPECT_EQ(encoded[0].source, bytes("\x02"
                                     "a ->"));
  EXPECT_EQ(encoded[0].target, bytes(" b\x7f"));
  Template twice;
  twice.begin_token = true;
  EXPECT_EQ(graft::TemplateEncoder(llama, twice).source("a"), encoded[0].source);  // never there twice
  Template bare;
  bare.special_tokens = false;
  EXPECT_EQ(graft::TemplateEncoder(llama, bare).source("a"), bytes("a ->"));
  EXPECT_EQ(graft::TemplateEncoder(llama, Template{}, {5, 0}).source("abcdef"),
            bytes("\x02"
                  "a ->"));  // cut behind the special tokens
  EXPECT_THROW((void)graft::TemplateEncoder(llama, Template{}, {4, 0}).source("abcdef"), graft::ConfigError);
  Warnings const warnings;
  SpecialBytes const ending{{}, graft::TextTemplate::around(2, 127)};
  EXPECT_EQ(graft::TemplateEncoder(ending, Template{}).source("a"), encoded[0].source);
  ASSERT_EQ(warnings.said.size(), 1u);
  EXPECT_NE(warnings.said[0].find("left out behind a source"), std::string::npos);
}

TEST(Template, SourceAndTargetOfAnEncoderAndADecoderAreTextsOfTheirOwn) {
  SpecialBytes const bart{{}, graft::TextTemplate::roberta(2, 127)}, t5{{}, graft::TextTemplate::trailing(127)},
      none{{}, {}};
  auto const first = [](auto const& tokenizer, Template const& form) {
    Truncation cut;
    return graft::TemplateEncoder(tokenizer, form).encode({{"ab", "c", {}, {}}}, cut).front();
  };
  EXPECT_EQ(first(bart, Template::of_pairs()).source, bytes("\x02"
                                                            "ab\x7f"));
  EXPECT_EQ(first(bart, Template::of_pairs()).target, bytes("\x02"
                                                            "c\x7f"));
  EXPECT_EQ(first(t5, Template::of_pairs()).source, bytes("ab\x7f"));
  EXPECT_EQ(first(t5, Template::of_pairs()).target, bytes("c\x7f"));
  EXPECT_EQ(first(none, Template::of_pairs()).source, bytes("ab"));
  EXPECT_EQ(first(none, Template::of_pairs()).target, bytes("c\x7f"));  // it has to end
  Template form = Template::of_pairs();
  form.separator = " =>", form.begin_token = true;
  EXPECT_EQ(first(t5, form).source, bytes("\x02"
                                          "ab =>\x7f"));
  EXPECT_EQ(first(t5, form).target, bytes("c\x7f"));
  EXPECT_EQ(graft::TemplateEncoder(bart, Template::of_pairs(), {4, 0}).source("abcdef"),
            bytes("\x02"
                  "ab\x7f"));  // cut inside the special tokens
}

TEST(Template, PartsGiveTheIdsOfTheWholeTextWhereTheTokenizerPutsASpaceBeforeIt) {
  small::Model model = small::bpe();
  model.remove_extra_whitespaces = false;
  graft::Tokenizer const tokenizer =
      graft::Tokenizer(graft::make_sentencepiece_parts(graft::parse_sentencepiece(model.bytes(), "small")));
  auto const with_end = [&] {
    graft::SpecialTokens special;
    special.bos = 1, special.eos = 2;
    return tokenizer.with_special_tokens(special);
  }();
  graft::TemplateEncoder const encoder(with_end, Template{.separator = " fox"});
  Truncation cut;
  auto const encoded = encoder.encode({{"the", "the", {}, {}}}, cut).front();
  EXPECT_EQ(encoded.source, (std::vector<Token>{6, 8}));
  EXPECT_EQ(encoded.target, (std::vector<Token>{6, 2}));
  EXPECT_EQ(tokenizer.encode("the fox the"), (std::vector<Token>{6, 8, 6}));
  EXPECT_EQ(tokenizer.encode(" the"), (std::vector<Token>{9, 6}));  // what stood there before
  EXPECT_EQ(encoder.kept_end(), 1);
}

}  // namespace
