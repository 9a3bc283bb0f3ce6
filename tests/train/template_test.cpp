#include <gtest/gtest.h>

#include <graft/data/template.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
  EXPECT_EQ(with_begin.source("abcd"), bytes("\x02" "ab:"));
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

}  // namespace
