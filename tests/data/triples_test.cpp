// WebNLG and DART, in XML and JSON: entries, texts, linearizations, counts, malformed files.
#include <gtest/gtest.h>
#include <graft/core/warning.hpp>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shared_data.hpp"
#include "temporary_file.hpp"

namespace {

using graft::DataOptions;
using graft::Example;
using graft::read_examples;

/// The warnings said while it lives.
class Warnings {
 public:
  Warnings() : before_(graft::set_warning_handler([this](std::string const& text) { said.push_back(text); })) {}
  ~Warnings() { graft::set_warning_handler(before_); }
  Warnings(Warnings const&) = delete;
  Warnings& operator=(Warnings const&) = delete;
  std::vector<std::string> said;

 private:
  graft::WarningHandler before_;
};

std::string error_of(std::string_view content, std::string const& extension, DataOptions const& options = {}) {
  TemporaryFile const file(content, extension);
  std::string message = message_of<graft::Error>([&] { (void)read_examples(file.path(), options); });
  if (std::size_t const at = message.find(file.path().string()); at != std::string::npos)
    message.replace(at, file.path().string().size(), "FILE");
  return message;
}
bool has(std::string const& message, std::string_view part) { return message.find(part) != std::string::npos; }

std::vector<Example> read(std::string_view content, std::string const& extension, DataOptions const& options = {}) {
  return read_examples(TemporaryFile(content, extension).path(), options);
}

constexpr std::string_view webnlg_json = R"({
  "entries": [
    {"1": {"category": "Airport", "xml_id": "Id1", "size": "2",
           "modifiedtripleset": [{"subject": "Aarhus", "property": "leaderName", "object": "Jacob_B"},
                                 {"subject": "Aarhus", "property": "isIn", "object": "\"Denmark\""}],
           "lexicalisations": [{"comment": "good", "lang": "", "lex": "Jacob B leads Aarhus\nin Denmark."},
                               {"comment": "toFix", "lang": "", "lex": "Aarhus is lead."}]}},
    {"2": {"category": "City", "modifiedtripleset": [{"subject": "A", "property": "b", "object": "c"}],
           "lexicalisations": [{"comment": "good", "lang": "", "lex": "A b c."}]}}]})";

constexpr std::string_view webnlg_xml = R"xml(<?xml version="1.0" encoding="utf-8"?>
<benchmark>
  <entries>
    <entry category="Airport" eid="Id1" shape="(X (X))" shape_type="NA" size="2">
      <originaltripleset>
        <otriple>Aarhus | leader | Jacob_B</otriple>
      </originaltripleset>
      <modifiedtripleset>
        <mtriple>Aarhus | leaderName | Jacob_B</mtriple>
        <mtriple>Aarhus | isIn | "Denmark"</mtriple>
      </modifiedtripleset>
      <lex comment="good" lid="Id1" lang="en">Jacob B leads Aarhus
        in Denmark.</lex>
      <lex comment="toFix" lid="Id2" lang="en">Aarhus is lead.</lex>
      <dbpedialinks><dbpedialink direction="en2ru">Aarhus | sameAs | Орхус</dbpedialink></dbpedialinks>
    </entry>
    <entry category="City" eid="Id2" size="1">
      <modifiedtripleset><mtriple>A | b | c &amp; d</mtriple></modifiedtripleset>
      <lex comment="good" lid="Id1" lang="ru">А б ц.</lex>
    </entry>
  </entries>
</benchmark>
)xml";

constexpr std::string_view dart_json = R"([
  {"tripleset": [["Mars Hill", "JOINED", "1973"], ["Mars Hill", "IN", "NC"]], "subtree_was_extended": true,
   "annotations": [{"source": "WikiSQL_decl_sents", "text": "It joined in 1973."}, {"source": "e2e", "text": "Joined."}]},
  {"tripleset": [["Mars Hill", "JOINED", "1973"], ["Mars Hill", "IN", "NC"]],
   "annotations": [{"source": "e2e", "text": "Another entry of the same triples."}]}
])";

TEST(WebNlg, JsonAndXmlGiveTheSameSources) {
  auto const json = read(webnlg_json, ".json"), xml = [] {
    Warnings const warnings;
    return read(webnlg_xml, ".xml");
  }();
  ASSERT_EQ(json.size(), 3U);
  ASSERT_EQ(xml.size(), 3U);
  for (auto const* examples : {&json, &xml}) {
    EXPECT_EQ((*examples)[0].source, "| Aarhus : leaderName : Jacob_B | Aarhus : isIn : \"Denmark\"");
    EXPECT_EQ((*examples)[0].target, "Jacob B leads Aarhus in Denmark.");
    EXPECT_EQ((*examples)[0].domain, "Airport");
    EXPECT_EQ((*examples)[1].target, "Aarhus is lead.");
    EXPECT_EQ((*examples)[2].domain, "City");
  }
  EXPECT_EQ(xml[2].source, "| A : b : c & d");
  EXPECT_EQ(json[0].line, 3U);
  EXPECT_EQ(xml[2].line, 17U);
  EXPECT_EQ(xml[2].id, "Id2");
}

TEST(WebNlg, TextsAreChosenByCommentAndLanguage) {
  EXPECT_EQ(read(webnlg_json, ".json", {.good_texts = true}).size(), 2U);
  EXPECT_EQ(read(webnlg_xml, ".xml", {.language = "en"}).size(), 2U);
  EXPECT_EQ(read(webnlg_xml, ".xml", {.language = "ru"})[0].target, "А б ц.");
  EXPECT_TRUE(has(error_of(webnlg_xml, ".xml", {.language = "de"}), "no texts are left"));
  EXPECT_TRUE(has(error_of(webnlg_json, ".json", {.language = "en"}), "names no languages"));
  Warnings warnings;
  (void)read(webnlg_xml, ".xml");
  ASSERT_EQ(warnings.said.size(), 1U);
  EXPECT_TRUE(has(warnings.said[0], "several languages"));
}

TEST(Dart, JsonAndXmlAreWrittenAsThePaperWritesThem) {
  auto const json = read(dart_json, ".json");
  ASSERT_EQ(json.size(), 3U);
  EXPECT_EQ(json[0].source, "Mars Hill : joined : 1973 | Mars Hill : in : NC");
  EXPECT_EQ(json[0].domain, "WikiSQL_decl_sents");
  EXPECT_EQ(json[1].id, "Id1");
  EXPECT_EQ(graft::group_by_source(json).size(), 2U);  // equal triples of two entries stay apart
  auto const xml = read(R"(<benchmark><entries><entry category="MISC" eid="Id1" size="1"><modifiedtripleset>
<mtriple>Mars Hill | JOINED | 1973</mtriple></modifiedtripleset><lex comment="e2e" lid="Id1">It did.</lex></entry></entries></benchmark>)",
                        ".xml");
  ASSERT_EQ(xml.size(), 1U);
  EXPECT_EQ(xml[0].source, "Mars Hill : joined : 1973");
  EXPECT_EQ(xml[0].domain, "e2e");
  EXPECT_TRUE(has(error_of(dart_json, ".json", {.good_texts = true}), "marks no texts as good"));
}

TEST(Triples, LinearizationsAreThoseOfTheLiterature) {
  auto const source = [](graft::Linearization how) {
    return read(dart_json, ".json", {.linearization = how})[0].source;
  };
  EXPECT_EQ(source(graft::Linearization::pipes), "Mars Hill | JOINED | 1973 && Mars Hill | IN | NC");
  EXPECT_EQ(source(graft::Linearization::tags), "<H> Mars Hill <R> JOINED <T> 1973 <H> Mars Hill <R> IN <T> NC");
  EXPECT_EQ(read(dart_json, ".json", {.task = "webnlg"})[0].source,
            "| Mars Hill : JOINED : 1973 | Mars Hill : IN : NC");
  EXPECT_TRUE(has(error_of("a||b\n", ".txt", {.linearization = graft::Linearization::tags}), "holds no triples"));
  EXPECT_TRUE(has(error_of(dart_json, ".json", {.task = "cola"}), "no field"));
  EXPECT_TRUE(has(error_of("a\tb\n", ".tsv", {.task = "dart"}), "is no file of triples"));
}

TEST(Triples, TheEnrichedFilesTextIsRead) {
  auto const examples = read(R"(<benchmark><entries><entry category="A" eid="1"><modifiedtripleset>
<mtriple>a | b | c</mtriple></modifiedtripleset><lex comment="good" lid="1"><references><reference tag="x">no</reference>
</references><text>The text.</text><template>A B .</template></lex></entry></entries></benchmark>)",
                             ".xml");
  ASSERT_EQ(examples.size(), 1U);
  EXPECT_EQ(examples[0].target, "The text.");
}

std::string entry(std::string const& inside) {
  return "<benchmark>\n<entries>\n<entry category=\"A\" eid=\"Id1\">\n" + inside + "</entry></entries></benchmark>";
}

TEST(Triples, MalformedXmlNamesFileAndLine) {
  std::string const triple = "<modifiedtripleset><mtriple>a | b | c</mtriple></modifiedtripleset>\n";
  EXPECT_TRUE(has(error_of(entry(triple), ".xml"), "[FILE] line 3: the entry Id1 has no text"));
  EXPECT_TRUE(has(error_of(entry("<lex>x</lex>"), ".xml"), "[FILE] line 3: the entry Id1 has no triples"));
  EXPECT_TRUE(
      has(error_of(entry("<mtriple>a | b</mtriple>"), ".xml"), "[FILE] line 4 has a malformed triple; got \"a | b\""));
  EXPECT_TRUE(has(error_of(entry("<lex>x</lexx>"), ".xml"), "[FILE] line 4: malformed XML; got 'mismatched tag'"));
  EXPECT_TRUE(has(error_of("<html></html>", ".xml"), "no benchmark file; got the element \"html\""));
  EXPECT_TRUE(has(error_of("<benchmark></benchmark>", ".xml"), "no texts are left; got 0 entries"));
  EXPECT_TRUE(has(error_of("", ".xml"), "malformed XML"));
  EXPECT_TRUE(has(error_of("<benchmark><entries><entry><entry/></entry></entries></benchmark>", ".xml"),
                  "entry within an entry"));
  EXPECT_TRUE(has(error_of("<!DOCTYPE x [<!ENTITY a \"b\">]>\n" + entry(triple), ".xml"),
                  "[FILE] line 1 defines the entity \"a\""));
  EXPECT_TRUE(has(error_of(std::string("<benchmark>\0</benchmark>", 24), ".xml"), "zero byte"));
  std::string deep = "<benchmark>";
  for (int i = 0; i < 100000; ++i) deep += "<a>";
  EXPECT_TRUE(has(error_of(deep, ".xml"), "nests XML too deeply"));
}

TEST(Triples, MalformedJsonNamesFileAndLine) {
  EXPECT_TRUE(has(error_of("[{\"tripleset\": [[\"a\", \"b\"]],\n \"annotations\": []}]", ".json"),
                  "line 1 has a malformed triple; got a list of 2"));
  EXPECT_TRUE(has(error_of("[\n{\"tripleset\": 3, \"annotations\": []}]", ".json"),
                  "[FILE] line 2 has no list in the field tripleset"));
  EXPECT_TRUE(has(error_of("[{\"tripleset\": []}]", ".json"), "lacks the field annotations"));
  EXPECT_TRUE(
      has(error_of("[{\"tripleset\": [[1, true, {}]], \"annotations\": []}]", ".json"), "has an object in the field"));
  EXPECT_TRUE(has(error_of("[{\"tripleset\": [[1, null, 2]], \"annotations\": []}]", ".json"),
                  "malformed triple; got null in the field tripleset"));
  EXPECT_TRUE(has(
      error_of("[\n{\"tripleset\": [[\"a\", \"b\", \"c\"]],\n \"annotations\": [{\"text\": \"x\" \"y\"}]}]", ".json"),
      "[FILE] line 3: malformed JSON"));
  EXPECT_TRUE(has(error_of("[{\"tripleset\": []", ".json"), "has no end"));
  EXPECT_TRUE(has(error_of("[]", ".json", {.task = "webnlg"}), "no texts are left; got 0 entries"));
  EXPECT_TRUE(has(error_of("{\"x\": 1}", ".json", {.task = "webnlg"}), "is no file of triples"));
}

// Cut a good file at every byte: each part is refused with a sentence that names it.
TEST(Triples, EveryTruncationIsRejectedCleanly) {
  for (auto const& [text, extension] :
       {std::pair(webnlg_json, ".json"), std::pair(webnlg_xml, ".xml"), std::pair(dart_json, ".json")}) {
    std::string_view const whole = text.substr(0, text.find_last_of("]>") + 1);
    for (std::size_t length = 0; length + 1 < whole.size(); length += 7)
      EXPECT_TRUE(has(error_of(whole.substr(0, length), extension), "FILE")) << length;
  }
}

struct Counts {
  std::size_t texts, entries;
};
void expect_counts(std::filesystem::path const& file, Counts expected) {
  Warnings const warnings;
  auto const examples = read_examples(file);
  EXPECT_EQ(examples.size(), expected.texts) << file;
  std::set<std::string> ids;
  for (auto const& example : examples) ids.insert(example.id);
  EXPECT_EQ(ids.size(), expected.entries) << file;
  EXPECT_EQ(graft::group_by_source(examples).size(), expected.entries) << file;
}

TEST(WebNlg, PublishedCounts) {
  GRAFT_NEEDS_DATA("webnlg2017");
  expect_counts(shared_data() / "webnlg2017" / "dev.json", {2268, 872});
  expect_counts(shared_data() / "webnlg2017" / "test.json", {4928, 1862});
  auto const train = read_examples(shared_data() / "webnlg2017" / "train.json");
  EXPECT_EQ(train.size(), 18102U);
  EXPECT_EQ(graft::group_by_source(train).size(), 6940U);
  EXPECT_EQ(read_examples(shared_data() / "webnlg2017" / "train.json", {.good_texts = true}).size(), 18025U);
  std::set<std::string> seen;
  for (auto const& example : train) seen.insert(example.domain);
  std::size_t known = 0;
  for (auto const& example : graft::group_by_source(read_examples(shared_data() / "webnlg2017" / "test.json")))
    known += seen.count(example.domain);
  EXPECT_EQ(seen.size(), 10U);
  EXPECT_EQ(known, 971U);
}

TEST(Dart, PublishedCountsAndXmlEqualsJson) {
  GRAFT_NEEDS_DATA("dart");
  auto const folder = shared_data() / "dart";
  expect_counts(folder / "dart-v1.1.1-full-dev.json", {6980, 2768});
  expect_counts(folder / "dart-v1.1.1-full-dev.xml", {6980, 2768});
  expect_counts(folder / "dart-v1.1.1-full-test.xml", {12551, 5097});  // one of the 12552 texts is empty
  auto const json = read_examples(folder / "dart-v1.1.1-full-dev.json"),
             xml = read_examples(folder / "dart-v1.1.1-full-dev.xml");
  ASSERT_EQ(json.size(), xml.size());
  std::size_t different = 0;
  for (std::size_t i = 0; i < json.size(); ++i)
    different += json[i].source != xml[i].source || json[i].target != xml[i].target || json[i].id != xml[i].id;
  EXPECT_EQ(different, 0U);
}

}  // namespace
