// Regular expressions over module names; Python's re.fullmatch gave the expected answers.
#include <gtest/gtest.h>

#include <graft/io/peft/name_pattern.hpp>

#include <string>
#include <tuple>

namespace {

using graft::detail::NamePattern;

/// '1' or '0': whether all of the name matches; '-' for an expression that is not read.
char match(std::string const& pattern, std::string const& name) {
  auto const parsed = NamePattern::parse(pattern);
  return !parsed ? '-' : parsed->matches(name) ? '1' : '0';
}

TEST(NamePattern, MatchesAsPythonDoes) {
  std::string const q = "model.layers.12.self_attn.q_proj", up = "model.layers.0.mlp.up_proj";
  for (auto const& [pattern, of_q, of_up] : {std::tuple{R"(.*\.(q_proj|v_proj))", '1', '0'},
                                             {"q_proj", '0', '0'},
                                             {R"(model\.layers\.\d+\..*)", '1', '1'},
                                             {R"(model\.layers\.\d\..*)", '0', '1'},
                                             {R"(.*[^a-p]_proj)", '1', '0'},
                                             {R"(.*\b(?:up|q)_proj$)", '1', '1'},
                                             {R"(^.*?layers\.[\d]{2,}.*)", '1', '0'},
                                             {R"((?P<all>.+))", '1', '1'},
                                             {"", '0', '0'},
                                             {".*|nothing", '1', '1'},
                                             {R"(model\.layers\.(0|1)\.mlp\.\w+)", '0', '1'},
                                             {R"(\S*\D)", '1', '1'},
                                             {R"((?!.*up).*)", '1', '0'},
                                             {R"([^]x]*(?=q).*)", '1', '0'},
                                             {R"(\A.*q_proj\Z)", '1', '0'},
                                             {R"([\w.]{25,27})", '0', '1'}}) {
    EXPECT_EQ(match(pattern, q), of_q) << pattern;
    EXPECT_EQ(match(pattern, up), of_up) << pattern;
  }
  EXPECT_EQ(match("a{,2}|b", ""), '1');
  EXPECT_EQ(match("()*", ""), '1');
  EXPECT_EQ(match("[]a]", "]"), '1');
}

TEST(NamePattern, LeavesTheRestToPython) {
  for (char const* pattern : {"(?i)a", "(?<=a)b", R"((a)\1)", "a++", "a**", "(a", "a)", "[a", "*", "a\\", "[b-a]",
                              R"(\p)", "a{3,2}", "a{2", "a{2}{2}", "a{x}", "[[a]]", "ä"})
    EXPECT_EQ(match(pattern, "a"), '-') << pattern;
  EXPECT_EQ(match(std::string(501, '(') + std::string(501, ')'), ""), '-');
  EXPECT_EQ(match("(((a{900}){900}){900})", "a"), '-');
}

TEST(NamePattern, NeedsNoMoreTimeForNestedRepeats) { EXPECT_EQ(match("((a*)*)*b", std::string(2000, 'a')), '0'); }

}  // namespace
