#include <gtest/gtest.h>
#include <graft/metrics/evaluation_files.hpp>

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
  EXPECT_NE(error_of("one\ntwo\n", "a\n\nb\n\nc\n").find("got 3 blocks of references for 2 outputs"), std::string::npos);
  EXPECT_NE(error_of("one\ntwo\n", "a\nb\nc\n").find("got 1 blocks of references for 2 outputs"), std::string::npos);
  EXPECT_NE(error_of("", "a\n").find("empty file; expected one output a line"), std::string::npos);
  EXPECT_NE(error_of("one\n", "\n\n").find("no references"), std::string::npos);
  EXPECT_NE(error_of("on\xff\n", "a\n").find("line 1: not valid UTF-8"), std::string::npos);
  EXPECT_NE(message_of<FileError>([] { (void)graft::read_hypotheses("/nowhere"); }).find("[/nowhere] no such file"), std::string::npos);
}

}  // namespace
