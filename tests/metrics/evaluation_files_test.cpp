#include <gtest/gtest.h>
#include <graft/core/warning.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/evaluation_files.hpp>

#include <optional>
#include <string>
#include <vector>

#include "data/temporary_file.hpp"

namespace {

using graft::FileError;
using graft::read_evaluation_set;

std::string error_of(std::string_view outputs, std::string_view references) {
  TemporaryFile const hypothesis_file(outputs), reference_file(references);
  return message_of<FileError>([&] { (void)read_evaluation_set(hypothesis_file.path(), reference_file.path()); });
}

TEST(EvaluationFiles, BlocksArePartedByEmptyLines) {
  TemporaryFile const outputs("one\n\nthree\r\n"), references("\na\nb\n\n \nc\r\n\r\nd\ne\nf\n\n\n");
  auto const set = read_evaluation_set(outputs.path(), references.path());
  EXPECT_EQ(set.hypotheses, (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(set.references, (graft::ReferenceLists{{"a", "b"}, {"c"}, {"d", "e", "f"}}));
}

TEST(EvaluationFiles, AFileWithoutEmptyLinesHoldsOneReferenceALine) {
  TemporaryFile const outputs("one\ntwo\n"), references("a\nb");
  EXPECT_EQ(read_evaluation_set(outputs.path(), references.path()).references, (graft::ReferenceLists{{"a"}, {"b"}}));
  TemporaryFile const single("one\n");
  EXPECT_EQ(read_evaluation_set(single.path(), references.path()).references, (graft::ReferenceLists{{"a", "b"}}));
}

TEST(EvaluationFiles, SaysWhatDoesNotFit) {
  EXPECT_NE(error_of("one\ntwo\n", "a\n\nb\n\nc\n").find("got 3 blocks of references for 2 outputs"),
            std::string::npos);
  EXPECT_NE(error_of("one\ntwo\n", "a\nb\nc\n").find("got 1 blocks of references for 2 outputs"), std::string::npos);
  EXPECT_NE(error_of("", "a\n").find("empty file; expected one output a line"), std::string::npos);
  EXPECT_NE(error_of("one\n", "\n\n").find("no references"), std::string::npos);
  EXPECT_NE(error_of("on\xff\n", "a\n").find("line 1: not valid UTF-8"), std::string::npos);
  EXPECT_NE(message_of<FileError>([] { (void)graft::read_hypotheses("/nowhere"); }).find("[/nowhere] no such file"),
            std::string::npos);
}

TEST(TextLine, EscapesAreReadBack) {
  for (std::string const text :
       {"plain, caf\u00e9", "a\nb\r\n", "back\\slash \\n", "\v\f\u0085\u2028\u2029\x1c\ufeff", ""}) {
    std::string const line = graft::escape_line(text);
    EXPECT_EQ(line.find_first_of("\n\r\v\f\x1c"), std::string::npos);
    EXPECT_EQ(graft::unescape_line(line), text);
  }
  EXPECT_EQ(graft::escape_line("a\n\\\u2028"), "a\\n\\\\\\u2028");
  for (char const* const text : {"\\", "\\t", "\\u12", "\\ud800", "\\u12g4"})
    EXPECT_EQ(graft::unescape_line(text), std::nullopt);
}

TEST(EvaluationFiles, BackslashesAreEscapesWhereAllOfThemAre) {
  using graft::Escapes;
  using Texts = std::vector<std::string>;
  std::vector<std::string> said;
  auto const before = graft::set_warning_handler([&](std::string const& sentence) { said.push_back(sentence); });
  TemporaryFile const escaped("a\\nb\n\\\\\n"), plain("a\\nb\n\\alpha\n"), without("a\nb\n");
  EXPECT_EQ(graft::read_hypotheses(without.path()), (Texts{"a", "b"}));
  EXPECT_TRUE(said.empty());
  EXPECT_EQ(graft::read_hypotheses(escaped.path()), (Texts{"a\nb", "\\"}));
  EXPECT_EQ(graft::read_hypotheses(plain.path()), (Texts{"a\\nb", "\\alpha"}));
  ASSERT_EQ(said.size(), 2u);
  EXPECT_NE(said[0].find("2 lines, which are read as escapes"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("as they stand, for one in line 2"), std::string::npos) << said[1];
  EXPECT_EQ(graft::read_hypotheses(escaped.path(), Escapes::always), (Texts{"a\nb", "\\"}));
  EXPECT_EQ(graft::read_hypotheses(escaped.path(), Escapes::never), (Texts{"a\\nb", "\\\\"}));
  EXPECT_NE(message_of<FileError>([&] {
              (void)graft::read_hypotheses(plain.path(), Escapes::always);
            }).find("line 2: \"\\alpha\""),
            std::string::npos);
  EXPECT_EQ(graft::read_reference_blocks(escaped.path()), (graft::ReferenceLists{{"a\nb", "\\"}}));
  EXPECT_EQ(graft::read_reference_blocks(escaped.path(), Escapes::never), (graft::ReferenceLists{{"a\\nb", "\\\\"}}));
  EXPECT_EQ(said.size(), 2u);  // the same sentence is said once
  graft::set_warning_handler(before);
}

}  // namespace
