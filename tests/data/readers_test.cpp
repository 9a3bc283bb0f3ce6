#include <gtest/gtest.h>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>

#include <unistd.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "shared_data.hpp"
#include "temporary_file.hpp"

namespace {

using graft::FileError;
using graft::read_examples;

std::string error_of(std::string_view content, std::string const& extension) {
  TemporaryFile const file(content, extension);
  std::string message = message_of<FileError>([&] { (void)read_examples(file.path()); });
  if (std::size_t const at = message.find(file.path().string()); at != std::string::npos)
    message.replace(at, file.path().string().size(), "FILE");
  return message;
}

bool has(std::string const& message, std::string_view part) { return message.find(part) != std::string::npos; }

TEST(Linearize, NamesAndValuesAsPrefixTuningHasThem) {
  EXPECT_EQ(
      graft::linearize_meaning_representation("name[The Vaults], eatType[pub], priceRange[more than £30], customer "
                                              "rating[5 out of 5], near[Café Adriatic]"),
      "name : The Vaults | Type : pub | price : more than £ 30 | customer rating : 5 out of 5 | near : Café Adriatic");
  EXPECT_EQ(graft::linearize_meaning_representation("priceRange[£20-25],familyFriendly[yes]"),
            "price : £ 20 - 25 | family friendly : yes");
  EXPECT_EQ(graft::linearize_meaning_representation("name[All-Bar One, Ltd]"), "name : All-Bar One, Ltd");
}

TEST(Linearize, RejectsWhatIsNoMeaningRepresentation) {
  for (char const* bad : {"", "name", "name[x", "name x]", "[x]", "name[x] area[y]", "name[x], area", "name[x],",
                          "area, name[x]", "]name["})
    EXPECT_THROW((void)graft::linearize_meaning_representation(bad), FileError) << bad;
}

TEST(E2eCsv, ReadsQuotesLineBreaksAndColumnsByName) {
  TemporaryFile const file(
      "\xef\xbb\xbforig,ref,mr\r\n1,\"He said \"\"hi\"\", twice.\r\n\r\nThen left.\",\"name[A], "
      "area[B]\"\r\n\r\n2,plain text,name[C]",
      ".csv");
  auto const examples = read_examples(file.path());
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples[0].source, "name : A | area : B");
  EXPECT_EQ(examples[0].target, "He said \"hi\", twice. Then left.");
  EXPECT_EQ(examples[1].source, "name : C");
  EXPECT_EQ(examples[1].target, "plain text");
  EXPECT_TRUE(examples[1].references.empty());
}

TEST(E2eCsv, MalformedRowsNameFileAndLine) {
  EXPECT_TRUE(has(error_of("mr,ref\n\"name[A]\",\"a\nb\"\nname[B],\"open\n\n", ".csv"),
                  "[FILE] line 4: quoted field has no end"));
  EXPECT_TRUE(has(error_of("mr,ref\nname[A],a \"b\" c\n", ".csv"), "[FILE] line 2: quote inside an unquoted field"));
  EXPECT_TRUE(has(error_of("mr,ref\nname[A],\"a\"b\n", ".csv"), "[FILE] line 2: text after a closing quote"));
  EXPECT_TRUE(has(error_of("mr,ref\nname[A],ok\nname[B]\n", ".csv"),
                  "[FILE] line 3: wrong number of columns; got 1; expected 2"));
  EXPECT_TRUE(has(error_of("mr,ref\nname[A],ok\nname[B],x,y\n", ".csv"), "line 3: wrong number of columns; got 3"));
  EXPECT_TRUE(
      has(error_of("mr,ref\nname[A],ok\nname B,x\n", ".csv"), "[FILE, line 3] malformed meaning representation"));
  EXPECT_TRUE(has(error_of("mr,ref\nname[A], \n", ".csv"), "line 2: empty text"));
  EXPECT_TRUE(has(error_of("MR\nname[A]\n", ".csv"), "got the columns MR"));
  EXPECT_TRUE(has(error_of("mr,ref\n", ".csv"), "no rows after the header"));
  EXPECT_TRUE(has(error_of("", ".csv"), "empty file"));
}

TEST(SeparatedFiles, ReadsBothFormsAndCrLf) {
  TemporaryFile const lines("name : A || A is here . \r\n\r\nname : B||B\n", ".txt");
  auto const examples = read_examples(lines.path());
  ASSERT_EQ(examples.size(), 2U);
  EXPECT_EQ(examples[0].source, "name : A");
  EXPECT_EQ(examples[0].target, "A is here .");
  TemporaryFile const tabs("source\ttarget\nx y\tz\n", ".tsv");
  ASSERT_EQ(read_examples(tabs.path()).size(), 1U);
  EXPECT_EQ(read_examples(tabs.path())[0].target, "z");
}

TEST(SeparatedFiles, MalformedRowsNameFileAndLine) {
  EXPECT_TRUE(has(error_of("a||b\nno separator\n", ".txt"), "[FILE] line 2: malformed row"));
  EXPECT_TRUE(has(error_of("a||b||c\n", ".txt"), "more than one separator"));
  EXPECT_TRUE(has(error_of("a||b\n||c\n", ".txt"), "line 2: empty source"));
  EXPECT_TRUE(has(error_of("a\tb\na\t \n", ".tsv"), "line 2: empty text"));
  EXPECT_TRUE(has(error_of("a\tb\tc\n", ".tsv"), "line 1: malformed row"));
  EXPECT_TRUE(has(error_of("\n \n", ".tsv"), "no examples"));
}

TEST(ReadExamples, ChoosesByContentWhereTheExtensionSaysNothing) {
  EXPECT_EQ(read_examples(TemporaryFile("a||b\n", "").path())[0].target, "b");
  EXPECT_EQ(read_examples(TemporaryFile("a\tb\n", ".txt").path())[0].target, "b");
  EXPECT_EQ(read_examples(TemporaryFile("mr,ref\nname[A],b\n", ".data").path())[0].source, "name : A");
  EXPECT_EQ(read_examples(TemporaryFile("[x] \"a\"\tb\n", ".txt").path())[0].source, "[x] \"a\"");
  EXPECT_EQ(read_examples(TemporaryFile("{a||b\n", ".txt").path())[0].source, "{a");
  EXPECT_TRUE(has(error_of("just text\n", ".txt"), "unknown format; got a first line 'just text'"));
  EXPECT_TRUE(has(error_of("", ".txt"), "no examples; got an empty file"));
}

// A pipe gives its text once.
TEST(ReadExamples, ReadsAFileOnce) {
  for (char const* text : {"a||b\n", "a\tb\n", "mr,ref\nname[a],b\n"}) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ASSERT_EQ(::write(ends[1], text, std::strlen(text)), static_cast<ssize_t>(std::strlen(text)));
    ::close(ends[1]);
    auto const examples = read_examples("/dev/fd/" + std::to_string(ends[0]));
    ::close(ends[0]);
    ASSERT_EQ(examples.size(), 1U) << text;
    EXPECT_EQ(examples[0].target, "b");
  }
}

TEST(ReadExamples, RejectsMissingFilesFoldersAndOtherEncodings) {
  EXPECT_TRUE(has(message_of<FileError>([] { (void)read_examples("/nowhere/at_all.csv"); }),
                  "[/nowhere/at_all.csv] no such file"));
  EXPECT_TRUE(
      has(message_of<FileError>([] { (void)read_examples(std::filesystem::temp_directory_path()); }), "is a folder"));
  EXPECT_TRUE(has(error_of("a||b\nCaf\xe9||c\n", ".txt"), "[FILE] line 2: not valid UTF-8; got byte 233 at offset 8"));
  EXPECT_TRUE(has(error_of(std::string_view("\xff\xfe\x61\0", 4), ".csv"), "line 1: not valid UTF-8"));
}

// Cut a good file at every byte: each part reads or fails with the one exception.
TEST(ReadExamples, EveryTruncationIsReadOrRejectedCleanly) {
  std::string const whole =
      "mr,ref\r\n\"name[Café, \"\"A\"\"], area[B]\",\"Text, with\r\nbreaks £20.\"\r\nname[B],ok\r\n";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    TemporaryFile const file(whole.substr(0, length), ".csv");
    try {
      EXPECT_LE(read_examples(file.path()).size(), 2U);
    } catch (FileError const& error) {
      EXPECT_TRUE(has(error.what(), file.path().string())) << error.what();
    }
  }
}

// Every row of the E2E data set, in order, reads to the source that the prefix-tuning paper's files have.
TEST(E2eCsv, LinearizationEqualsPrefixTuningOnEveryRow) {
  GRAFT_NEEDS_DATA("e2e");
  GRAFT_NEEDS_DATA("prefixtuning_e2e");
  std::array<std::pair<char const*, char const*>, 3> const files = {
      {{"trainset.csv", "src1_train.txt"}, {"devset.csv", "src1_valid.txt"}, {"testset_w_refs.csv", "src1_test.txt"}}};
  std::size_t rows = 0;
  for (auto const& [csv, text] : files) {
    auto const ours = read_examples(shared_data() / "e2e" / csv),
               theirs = read_examples(shared_data() / "prefixtuning_e2e" / text);
    ASSERT_EQ(ours.size(), theirs.size()) << csv;
    std::size_t different = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) different += ours[i].source != theirs[i].source ? 1U : 0U;
    EXPECT_EQ(different, 0U) << csv;
    for (auto const& example : ours) ASSERT_EQ(example.target.find('\n'), std::string::npos);
    rows += ours.size();
  }
  EXPECT_EQ(rows, 42061U + 4672U + 4693U);
  EXPECT_EQ(graft::group_by_source(read_examples(shared_data() / "e2e" / "testset_w_refs.csv")).size(), 630U);
}

TEST(E2eCsv, ReadsTheCleanedData) {
  GRAFT_NEEDS_DATA("e2e_cleaned");
  auto const examples = read_examples(shared_data() / "e2e_cleaned" / "test-fixed.csv");
  EXPECT_EQ(examples.front().source, "name : Blue Spice | Type : coffee shop | area : city centre");
  EXPECT_EQ(examples.front().target, "A coffee shop in the city centre area called Blue Spice.");
}

}  // namespace
