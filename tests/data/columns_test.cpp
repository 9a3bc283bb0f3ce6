// Named columns, and the tasks of GLUE and SuperGLUE, XSUM: texts, classes, counts, malformed files.
#include <gtest/gtest.h>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>

#include <unistd.h>

#include <array>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "shared_data.hpp"
#include "temporary_file.hpp"

namespace {

using graft::DataOptions;
using graft::LabelledText;

DataOptions fields(std::string_view text) {
  DataOptions options;
  options.fields = graft::parse_data_fields(text);
  return options;
}
DataOptions task(std::string name) {
  DataOptions options;
  options.task = std::move(name);
  return options;
}

std::vector<graft::Example> read(std::string_view content, std::string const& extension,
                                 DataOptions const& options = {}) {
  return graft::read_examples(TemporaryFile(content, extension).path(), options);
}
std::vector<LabelledText> labelled(std::string_view content, std::string const& extension,
                                   DataOptions const& options = {}) {
  return graft::read_labelled(TemporaryFile(content, extension).path(), options);
}

template <class Read>
std::string error_of(Read const& reader, std::string_view content, std::string const& extension,
                     DataOptions const& options = {}) {
  TemporaryFile const file(content, extension);
  std::string message = message_of<graft::Error>([&] { (void)reader(file.path(), options); });
  if (std::size_t const at = message.find(file.path().string()); at != std::string::npos)
    message.replace(at, file.path().string().size(), "FILE");
  return message;
}
std::string text_error(std::string_view content, std::string const& extension, DataOptions const& options = {}) {
  return error_of([](auto const& path, auto const& o) { return graft::read_examples(path, o); }, content, extension,
                  options);
}
std::string label_error(std::string_view content, std::string const& extension, DataOptions const& options = {}) {
  return error_of([](auto const& path, auto const& o) { return graft::read_labelled(path, o); }, content, extension,
                  options);
}
bool has(std::string const& message, std::string_view part) { return message.find(part) != std::string::npos; }

TEST(Columns, AreFoundByNameInEveryFormat) {
  std::string const json = R"({"q": "x, \"y\"", "a": "z", "n": 1})";
  for (auto const& [content, extension] :
       {std::pair<std::string, char const*>("n,q,a\r\n1,\"x, \"\"y\"\"\",z\r\n", ".csv"),
        {"\xef\xbb\xbfn\tq\ta\r\n1\tx, \"y\"\tz\r\n", ".tsv"},
        {json + "\n\n", ".jsonl"},
        {"[" + json + "]", ".json"},
        {"{\"version\": 1, \"data\": [" + json + "]}", ".json"}}) {
    auto const examples = read(content, extension, fields("source=q,target=a,domain=n"));
    ASSERT_EQ(examples.size(), 1U) << content;
    EXPECT_EQ(examples[0].source, "x, \"y\"") << content;
    EXPECT_EQ(examples[0].target, "z");
    EXPECT_EQ(examples[0].domain, "1");
  }
}

TEST(Columns, AreFoundByTheNamesInUse) {
  for (std::string const header : {"source,target", "input,output", "prompt,completion", "question,answer"}) {
    auto const examples = read(header + "\na,b\n", ".csv");
    ASSERT_EQ(examples.size(), 1U) << header;
    EXPECT_EQ(examples[0].target, "b");
  }
  EXPECT_EQ(read("id\tsource\ttarget\n1\ta\tb\n", ".tsv")[0].source, "a");
  EXPECT_EQ(read("{\"source\": \"a\", \"target\": \"b\"}\n", "")[0].target, "b");
  EXPECT_TRUE(has(text_error("x,y\n1,2\n", ".csv"), "no columns that are known to hold a source and a target"));
  EXPECT_TRUE(has(text_error("x,y\n1,2\n", ".csv"), "got the columns x, y; hint: --fields"));
}

TEST(Columns, NumbersSayThatThereIsNoHeader) {
  EXPECT_EQ(read("a\tb\tc\nd\te\tf\n", ".tsv", fields("source=3,target=1"))[1].source, "f");
  EXPECT_EQ(read("a,b\n", ".csv", fields("source=1,target=2"))[0].target, "b");
  EXPECT_TRUE(has(text_error("a\tb\nc\n", ".tsv", fields("source=1,target=2")),
                  "[FILE] line 2 has 1 columns; expected a column 2"));
  EXPECT_TRUE(has(text_error("a\tb\n", ".tsv", fields("source=1,target=x")), "by number and by name"));
}

TEST(Columns, MissingOnesAreNamedWithThoseThereAre) {
  EXPECT_TRUE(has(text_error("a,b\n1,2\n", ".csv", fields("source=a,target=c")),
                  "[FILE] line 1: no column \"c\"; got the columns a, b"));
  EXPECT_TRUE(has(text_error("{\"a\": 1, \"b\": 2}\n{\"a\": 1}\n", ".jsonl", fields("source=a,target=b")),
                  "[FILE] line 2: no field \"b\"; got the fields a"));
  EXPECT_TRUE(has(text_error("a,b\n1\n", ".csv", fields("source=a,target=b")),
                  "line 2: wrong number of columns; got 1; expected 2 as in the header"));
  EXPECT_TRUE(has(text_error("a,b\n1, \n", ".csv", fields("source=a,target=b")), "line 2: empty text"));
  EXPECT_TRUE(has(text_error("a,b\n", ".csv", fields("source=a,target=b")), "no rows after the header"));
  EXPECT_TRUE(has(text_error("", ".csv", fields("source=a,target=b")), "empty file"));
}

TEST(Columns, AListHoldsReferencesAndAnIdJoinsRows) {
  auto const lists = read("{\"source\": \"a\", \"target\": [\"b\", \"c\"]}\n", ".jsonl");
  ASSERT_EQ(lists.size(), 2U);
  EXPECT_EQ(lists[1].target, "c");
  EXPECT_EQ(graft::group_by_source(lists)[0].references, (std::vector<std::string>{"b", "c"}));
  auto const rows =
      read("source,target,key\na,b,1\na,c,1\na,d,2\n", ".csv", fields("source=source,target=target,id=key"));
  EXPECT_EQ(graft::group_by_source(rows).size(), 2U);
  EXPECT_EQ(graft::group_by_source(read("source,target,key\na,b,1\na,d,2\n", ".csv")).size(), 1U);
}

TEST(Columns, MalformedJsonNamesFileAndLine) {
  EXPECT_TRUE(has(text_error("{\"source\": \"a\", \"target\": \"b\"}\n{\"source\": \"a\"", ".jsonl"), "[FILE] line 2"));
  EXPECT_TRUE(
      has(text_error("{\"source\": \"a\", \"target\": \"b\"}\n[1]\n", ".jsonl"), "[FILE] line 2 is no JSON object"));
  EXPECT_TRUE(
      has(text_error("{\"source\": {\"x\": 1}, \"target\": \"b\"}\n", ".jsonl", fields("source=source,target=target")),
          "has an object in the field \"source\""));
  EXPECT_TRUE(
      has(text_error("{\"source\": [\"x\"], \"target\": \"b\"}\n", ".jsonl"), "has a list in the field \"source\""));
  EXPECT_TRUE(has(text_error("{\"source\": null, \"target\": \"b\"}\n", ".jsonl"), "line 1: empty source"));
  EXPECT_TRUE(has(text_error("{\"source\": \"a\\u0000\", \"target\": \"b\"}\n", ".jsonl"), "zero character"));
  EXPECT_TRUE(
      has(text_error("{\"source\": \"\\ud800\", \"target\": \"b\"}\n", ".jsonl"), "[FILE] line 1: malformed JSON"));
  EXPECT_TRUE(has(text_error("", ".jsonl"), "no examples"));
  EXPECT_TRUE(has(text_error("[{\"source\": \"a\", \"target\": \"b\"}] x", ".json"), "text after the end"));
  EXPECT_TRUE(
      has(text_error("[\n{\"source\": \"a\", \"target\": \"b\"}\n{}]", ".json"), "[FILE] line 3: malformed JSON"));
  EXPECT_TRUE(has(text_error(std::string(100000, '['), ".json"), "too deeply"));
  EXPECT_TRUE(has(text_error("{\"source\": " + std::string(200, '[') + "\n", ".jsonl"), "too deeply"));
  EXPECT_TRUE(has(text_error(std::string("source,target\na,b\0\n", 19), ".csv"), "[FILE] line 2 has a zero byte"));
  EXPECT_TRUE(has(text_error("source,target\na,\xff\n", ".csv"), "[FILE] line 2: not valid UTF-8"));
  EXPECT_EQ(read("{\"source\": \"" + std::string(3000000, 'x') + "\", \"target\": \"b\"}\n", ".jsonl")[0].source.size(),
            3000000U);
}

TEST(Options, SayWhatIsWrong) {
  EXPECT_TRUE(
      has(message_of<graft::ConfigError>([] { (void)graft::parse_data_fields("source"); }), "expected ROLE=COLUMN"));
  EXPECT_TRUE(has(message_of<graft::ConfigError>([] { (void)graft::parse_data_fields("sauce=a"); }),
                  "got \"sauce\"; expected one of source, text"));
  EXPECT_TRUE(has(message_of<graft::ConfigError>([] { (void)graft::parse_data_fields("source=a,source=b"); }),
                  "each role once"));
  EXPECT_TRUE(
      has(message_of<graft::ConfigError>([] { (void)graft::task_named("glue"); }), "expected one of e2e, webnlg"));
  EXPECT_TRUE(
      has(message_of<graft::ConfigError>([] { (void)graft::parse_data_format("word"); }), "expected one of auto"));
  auto both = task("cola");
  both.fields.source = "a";
  EXPECT_TRUE(has(text_error("a\tb\n", ".tsv", both), "a task knows its columns"));
  EXPECT_TRUE(has(label_error("a\tb\n", ".tsv", task("xsum")), "writes texts and has no classes"));
  EXPECT_TRUE(has(label_error("a\tb\n", ".tsv", task("stsb")), "gives numbers"));
  EXPECT_TRUE(has(text_error("a||b\n", ".txt", fields("source=1,target=2")), "has no columns"));
}

TEST(Xsum, DocumentsAndSummariesStandOnOneLine) {
  for (char const* name : {"", "xsum"}) {
    auto const examples =
        read("{\"document\": \"First.\\nSecond.\", \"summary\": \"Both.\", \"id\": \"123\"}\n", ".jsonl", task(name));
    ASSERT_EQ(examples.size(), 1U);
    EXPECT_EQ(examples[0].source, "First. Second.");
    EXPECT_EQ(examples[0].target, "Both.");
    EXPECT_EQ(examples[0].id, "123");
  }
}

/// A row of a task's file, and what is read of it.
struct Case {
  char const* task;
  char const* extension;
  std::string content;
  std::string text, pair, label;
};

TEST(Tasks, EveryTaskOfClassesReadsItsFiles) {
  std::vector<Case> const cases = {
      {"cola", ".tsv", "gj04\t0\t*\tHe go.\n", "He go.", "", "unacceptable"},
      {"cola", ".tsv", "index\tsentence\n0\tHe goes.\n", "He goes.", "", ""},
      {"sst2", ".tsv", "sentence\tlabel\na \"fine film \t1\n", "a \"fine film", "", "positive"},
      {"sst2", ".tsv", "a fine film\t0\n", "a fine film", "", "negative"},
      {"mrpc", ".tsv", "\xef\xbb\xbfQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t7\t8\tA \"x\r\n", "", "", "-"},
      {"mrpc", ".tsv", "\xef\xbb\xbfQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t7\t8\tA \"x.\tB.\r\n", "A \"x.",
       "B.", "equivalent"},
      {"qqp", ".tsv", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tA?\tB?\t1\n4\t5\n", "A?", "B?",
       "duplicate"},
      {"mnli", ".tsv", "index\tgenre\tsentence1\tsentence2\tlabel1\tgold_label\n0\tg\tP.\tH.\tneutral\tcontradiction\n",
       "P.", "H.", "contradiction"},
      {"qnli", ".tsv", "index\tquestion\tsentence\tlabel\n0\tQ?\tS.\tnot_entailment\n", "Q?", "S.", "not_entailment"},
      {"rte", ".tsv", "sentence1\tsentence2\tlabel\tidx\nA.\tB.\t1\t0\n", "A.", "B.", "not_entailment"},
      {"rte", ".tsv", "sentence1\tsentence2\tlabel\tidx\nA.\tB.\t-1\t0\n", "A.", "B.", ""},
      {"rte", ".jsonl", R"({"premise": "A.", "hypothesis": "B.", "label": "entailment", "idx": 0})", "A.", "B.",
       "entailment"},
      {"wnli", ".tsv", "index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\t1\n", "A.", "B.", "entailment"},
      {"boolq", ".jsonl", R"({"question": "is it", "passage": "It is.", "idx": 0, "label": true})", "is it", "It is.",
       "true"},
      {"cb", ".jsonl", R"({"premise": "A.", "hypothesis": "B.", "label": "neutral", "idx": 3})", "A.", "B.", "neutral"},
      {"copa", ".jsonl",
       R"({"premise": "It fell.", "choice1": "I pushed.", "choice2": "I slept.", "question": "cause", "label": 1, "idx": 0})",
       "It fell. What was the cause of this?", "I pushed. I slept.", "choice2"},
      {"multirc", ".jsonl",
       R"({"idx": 0, "passage": {"text": "P.", "questions": [{"question": "Q?", "idx": 1, "answers": [{"text": "A", "idx": 2, "label": 1}]}]}})",
       "P.", "Q? A", "true"},
      {"record", ".jsonl",
       R"({"idx": 0, "passage": {"text": "É and Bo.\n@highlight\nHe won.", "entities": [{"start": 0, "end": 0}]}, "qas": [{"idx": 5, "query": "@placeholder won", "answers": [{"text": "É", "start": 0, "end": 0}]}]})",
       "É and Bo. He won.", "É won", "true"},
      {"wic", ".jsonl",
       R"({"word": "bed", "sentence1": "A bed.", "sentence2": "A river bed.", "idx": 0, "label": false, "start1": 2})",
       "bed: A bed.", "bed: A river bed.", "false"},
      {"wsc", ".jsonl",
       R"({"text": "Mark told  Pete he lied", "target": {"span2_index": 3, "span1_index": 0, "span1_text": "Mark", "span2_text": "he"}, "idx": 0, "label": true})",
       "Mark told Pete *he* lied", "Mark", "true"},
      {"axb", ".jsonl", R"({"sentence1": "A.", "sentence2": "B.", "idx": 1, "label": "not_entailment"})", "A.", "B.",
       "not_entailment"},
      {"axg", ".jsonl", R"({"premise": "A.", "hypothesis": "B.", "idx": 1, "label": "entailment", "pair_id": 3})", "A.",
       "B.", "entailment"},
      {"ax", ".tsv", "Domain\tPremise\tHypothesis\tLabel\nx\tA.\tB.\tneutral\n", "A.", "B.", "neutral"},
  };
  std::set<std::string> tested;
  for (Case const& one : cases) {
    if (one.label == "-") {
      EXPECT_TRUE(has(label_error(one.content, one.extension, task(one.task)), "line 2: wrong number of columns"))
          << one.task;
      continue;
    }
    auto const rows = labelled(one.content, one.extension, task(one.task));
    ASSERT_EQ(rows.size(), 1U) << one.task;
    EXPECT_EQ(rows[0].text, one.text) << one.task;
    EXPECT_EQ(rows[0].pair.value_or(""), one.pair) << one.task;
    EXPECT_EQ(rows[0].label.value_or(""), one.label) << one.task;
    tested.insert(one.task);
  }
  for (graft::Task const& known : graft::tasks)
    EXPECT_EQ(tested.count(std::string(known.name)), known.kind == graft::TaskKind::label ? 1U : 0U) << known.name;
}

TEST(Tasks, ClassesBecomeTextsForTextToTextModels) {
  auto const rte =
      read(R"({"premise": "A.", "hypothesis": "B.", "label": "entailment", "idx": 0})", ".jsonl", task("rte"));
  EXPECT_EQ(rte[0].source, "rte premise: A. hypothesis: B.");
  EXPECT_EQ(rte[0].target, "entailment");
  auto const stsb = read("index\tsentence1\tsentence2\tscore\n0\tA.\tB.\t3.29\n", ".tsv", task("stsb"));
  EXPECT_EQ(stsb[0].source, "stsb sentence1: A. sentence2: B.");
  EXPECT_EQ(stsb[0].target, "3.2");
  auto const record = read(
      R"({"idx": 0, "passage": {"text": "Al and Bo.", "entities": [{"start": 0, "end": 1}, {"start": 7, "end": 8}]}, "qas": [{"idx": 5, "query": "@placeholder won", "answers": [{"text": "Al"}, {"text": "Bo"}]}]})",
      ".jsonl", task("record"));
  ASSERT_EQ(record.size(), 2U);
  EXPECT_EQ(record[0].source, "record passage: Al and Bo. query: @placeholder won entities: Al, Bo");
  EXPECT_EQ(graft::group_by_source(record)[0].references, (std::vector<std::string>{"Al", "Bo"}));
  EXPECT_TRUE(has(text_error("index\tsentence\n0\tx\n", ".tsv", task("sst2")), "line 2 has no class to learn"));
}

TEST(Tasks, MalformedRowsNameFileAndLine) {
  EXPECT_TRUE(has(label_error("sentence\tlabel\nx\tgood\n", ".tsv", task("sst2")),
                  "[FILE] line 2 has the class \"good\"; expected negative, positive, or 0 to 1"));
  EXPECT_TRUE(has(label_error("sentence1\tlabel\nx\t1\n", ".tsv", task("qnli")),
                  "no column \"question\"; got the columns sentence1, label"));
  EXPECT_TRUE(has(label_error(R"({"premise": "a", "choice1": "b", "choice2": "c", "question": "why", "label": 1})",
                              ".jsonl", task("copa")),
                  "expected cause or effect"));
  EXPECT_TRUE(has(label_error(R"({"text": "a b", "target": {"span2_index": 9, "span1_text": "a", "span2_text": "b"}})",
                              ".jsonl", task("wsc")),
                  "word number \"9\""));
  EXPECT_TRUE(
      has(label_error(R"({"idx": 0, "passage": {"text": "ab", "entities": [{"start": 0, "end": 7}]}, "qas": []})",
                      ".jsonl", task("record")),
          "outside the passage"));
  EXPECT_TRUE(has(label_error(R"({"idx": 0, "passage": {"text": "ab", "questions": 3}})", ".jsonl", task("multirc")),
                  "no list in the field questions"));
}

// The table of docs/files.md says what the code says.
TEST(Tasks, StandInTheDocumentation) {
  std::string const page = graft::read_text_file(std::filesystem::path(GRAFT_SOURCE_DIR) / "docs" / "files.md");
  for (graft::Task const& known : graft::tasks) {
    std::size_t const row = page.find(graft::cat("\n| `", known.name, "` | ", known.collection, " | "));
    ASSERT_NE(row, std::string::npos) << known.name;
    std::string const text = page.substr(row + 1, page.find('\n', row + 1) - row - 1);
    EXPECT_TRUE(text.ends_with(graft::cat(" | ", known.metrics, " | ", known.sizes, " |"))) << text;
    std::string classes;
    for (auto const& name : graft::class_names(known)) classes += (classes.empty() ? ": " : ", ") + name;
    EXPECT_NE(text.find(classes), std::string::npos) << text;
  }
}

TEST(Labels, AreFoundByNameElseInTheFirstColumns) {
  EXPECT_EQ(labelled("good\tyes\n", ".tsv")[0].label, "yes");
  EXPECT_EQ(labelled("good\t1\nbad\t2\n", ".tsv")[1].label, "2");  // a number of the first row is no column's name
  EXPECT_EQ(labelled("1\t2\tx\n", ".tsv", fields("text=2,label=1"))[0].text, "2");
  EXPECT_EQ(labelled("text,label\ngood,yes\n", ".csv")[0].text, "good");
  auto const pair = labelled("label\tsentence1\tsentence2\n1\ta\tb\n", ".tsv");
  EXPECT_EQ(pair[0].pair, "b");
  EXPECT_EQ(labelled("x\ty\tz\n", ".tsv", fields("text=1,text_pair=2,label=3"))[0].pair, "y");
  DataOptions header = fields("text=1,label=2");
  header.header = true;
  EXPECT_EQ(labelled("t\tl\na\tb\n", ".tsv", header).size(), 1U);
  EXPECT_FALSE(labelled("{\"text\": \"a\"}\n", ".jsonl", fields("text=text"))[0].label.has_value());
  EXPECT_TRUE(has(label_error("{\"x\": \"a\"}\n", ".jsonl"), "a text and a class"));
}

TEST(ReadLabelled, ReadsAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "{\"text\": \"a\", \"label\": 1}\n", 26), 26);
  ::close(ends[1]);
  auto const rows = graft::read_labelled("/dev/fd/" + std::to_string(ends[0]));
  ::close(ends[0]);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].label, "1");
}

TEST(Tasks, PublishedCounts) {
  GRAFT_NEEDS_DATA("cls_rte");
  auto const count = [](char const* folder, char const* file, char const* name) {
    return graft::read_labelled(shared_data() / folder / file, task(name));
  };
  EXPECT_EQ(count("cls_rte", "train.tsv", "rte").size(), 2490U);
  EXPECT_EQ(count("cls_rte", "dev.tsv", "rte").size(), 277U);
  auto const test = count("cls_rte", "test.tsv", "rte");
  EXPECT_EQ(test.size(), 3000U);
  for (auto const& row : test) ASSERT_FALSE(row.label.has_value());
  GRAFT_NEEDS_DATA("cls_cola");
  EXPECT_EQ(count("cls_cola", "in_domain_train.tsv", "cola").size(), 8551U);
  EXPECT_EQ(
      count("cls_cola", "in_domain_dev.tsv", "cola").size() + count("cls_cola", "out_of_domain_dev.tsv", "cola").size(),
      1043U);
  GRAFT_NEEDS_DATA("cls_sst2");
  EXPECT_EQ(count("cls_sst2", "train.tsv", "sst2").size(), 6920U);
  EXPECT_EQ(count("cls_sst2", "dev.tsv", "sst2").size(), 872U);
  EXPECT_EQ(count("cls_sst2", "test.tsv", "sst2").size(), 1821U);
}

}  // namespace
