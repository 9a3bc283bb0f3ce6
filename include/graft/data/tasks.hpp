/// @file
/// @brief The tasks that are known by name: which columns their files have, what of them is read, and what is learned.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/text/printable.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// What is learned of an example.
enum class TaskKind : std::uint8_t {
  text,    ///< to write a text
  label,   ///< to tell classes apart
  number,  ///< to give a number: no class, but text-to-text models can write it
};

/// A task and its files. Names of columns are parted by commas; `a|b` is the first of them that the file has.
///
/// In `first` and `second` a column stands in braces, with the text around it: `{word}: {sentence1}`.
struct Task {
  std::string_view name;        ///< on command lines: "cola"
  std::string_view collection;  ///< "GLUE"
  TaskKind kind;
  std::string_view first;    ///< the text that is read; of triples and E2E nothing, which have readers of their own
  std::string_view second;   ///< the second text of a pair
  std::string_view target;   ///< the column of the class, of the text to write, or of the number
  std::string_view classes;  ///< the classes' names, in the order of their numbers
  std::string_view columns;  ///< of files without a header
  std::string_view metrics;  ///< the published ones
  std::string_view sizes;    ///< published rows: training, validation, test
};

/// The known tasks. Sources: the papers and official files of each set; classes and their order as in the Hugging Face
/// hub's `glue` and `super_glue`; pairs as P-tuning v2's code forms them, COPA's choices excepted (docs/files.md).
inline constexpr std::array tasks{
    Task{"e2e", "E2E", TaskKind::text, "", "", "ref", "", "", "bleu, nist, meteor, rougeL, cider", "42061, 4672, 4693"},
    Task{"webnlg", "WebNLG", TaskKind::text, "", "", "", "", "", "bleu, meteor, ter",
         "2017: 18102, 2268, 4928; 2020: 35415, 4468, 5150"},
    Task{"dart", "DART", TaskKind::text, "", "", "", "", "", "bleu, meteor, ter", "v1.1.1: 62659, 6980, 12552"},
    Task{"xsum", "XSUM", TaskKind::text, "{document}", "", "summary", "", "", "rouge1, rouge2, rougeL",
         "204045, 11332, 11334"},
    Task{"cola", "GLUE", TaskKind::label, "{sentence}", "", "label", "unacceptable,acceptable",
         "source,label,star,sentence", "matthews", "8551, 1043, 1063"},
    Task{"sst2", "GLUE", TaskKind::label, "{sentence}", "", "label", "negative,positive", "sentence,label", "accuracy",
         "67349, 872, 1821"},
    Task{"mrpc", "GLUE", TaskKind::label, "{#1 String|sentence1}", "{#2 String|sentence2}", "Quality|label",
         "not_equivalent,equivalent", "", "accuracy, f1", "3668, 408, 1725"},
    Task{"stsb", "GLUE", TaskKind::number, "{sentence1}", "{sentence2}", "score|label", "", "", "pearson, spearman",
         "5749, 1500, 1379"},
    Task{"qqp", "GLUE", TaskKind::label, "{question1}", "{question2}", "is_duplicate|label", "not_duplicate,duplicate",
         "", "accuracy, f1", "363849, 40430, 390965"},
    Task{"mnli", "GLUE", TaskKind::label, "{sentence1|premise}", "{sentence2|hypothesis}", "gold_label|label",
         "entailment,neutral,contradiction", "", "accuracy", "392702, 9815 and 9832, 9796 and 9847"},
    Task{"qnli", "GLUE", TaskKind::label, "{question}", "{sentence}", "label", "entailment,not_entailment", "",
         "accuracy", "104743, 5463, 5463"},
    Task{"rte", "GLUE and SuperGLUE", TaskKind::label, "{sentence1|premise}", "{sentence2|hypothesis}", "label",
         "entailment,not_entailment", "", "accuracy", "2490, 277, 3000"},
    Task{"wnli", "GLUE", TaskKind::label, "{sentence1}", "{sentence2}", "label", "not_entailment,entailment", "",
         "accuracy", "635, 71, 146"},
    Task{"ax", "GLUE", TaskKind::label, "{sentence1|Premise|premise}", "{sentence2|Hypothesis|hypothesis}",
         "Label|label", "entailment,neutral,contradiction", "", "matthews", "–, –, 1104"},
    Task{"boolq", "SuperGLUE", TaskKind::label, "{question}", "{passage}", "label", "false,true", "", "accuracy",
         "9427, 3270, 3245"},
    Task{"cb", "SuperGLUE", TaskKind::label, "{premise}", "{hypothesis}", "label", "entailment,contradiction,neutral",
         "", "accuracy, f1", "250, 56, 250"},
    Task{"copa", "SuperGLUE", TaskKind::label, "{premise} {question}", "{choice1} {choice2}", "label",
         "choice1,choice2", "", "accuracy", "400, 100, 500"},
    Task{"multirc", "SuperGLUE", TaskKind::label, "{paragraph}", "{question} {answer}", "label", "false,true", "",
         "f1, exact match", "27243, 4848, 9693 answers"},
    Task{"record", "SuperGLUE", TaskKind::label, "{passage}", "{query}", "label", "false,true", "", "f1, exact match",
         "100730, 10000, 10000 queries"},
    Task{"wic", "SuperGLUE", TaskKind::label, "{word}: {sentence1}", "{word}: {sentence2}", "label", "false,true", "",
         "accuracy", "5428, 638, 1400"},
    Task{"wsc", "SuperGLUE", TaskKind::label, "{text}", "{target.span1_text|span1_text}", "label", "false,true", "",
         "accuracy", "554, 104, 146"},
    Task{"axb", "SuperGLUE", TaskKind::label, "{sentence1}", "{sentence2}", "label", "entailment,not_entailment", "",
         "matthews", "–, –, 1104"},
    Task{"axg", "SuperGLUE", TaskKind::label, "{premise}", "{hypothesis}", "label", "entailment,not_entailment", "",
         "accuracy, parity", "–, –, 356"},
};

/// The names of all tasks, parted by commas.
[[nodiscard]] inline std::string task_names() {
  std::string names;
  for (Task const& task : tasks) (names += names.empty() ? "" : ", ") += task.name;
  return names;
}

/// @throws ConfigError for a name that `tasks` lacks
[[nodiscard]] inline Task const& task_named(std::string_view name) {
  for (Task const& task : tasks)
    if (task.name == name) return task;
  fail<ConfigError>("[task] got ", printable(name), "; expected one of ", task_names());
}

/// The parts of a list between separators.
[[nodiscard]] inline std::vector<std::string> parts_of(std::string_view list, char separator) {
  std::vector<std::string> parts;
  if (list.empty()) return parts;
  for (std::size_t start = 0;;) {
    std::size_t const end = list.find(separator, start);
    parts.emplace_back(list.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

/// The classes' names, in the order of their numbers; none for a task that has no classes.
[[nodiscard]] inline std::vector<std::string> class_names(Task const& task) { return parts_of(task.classes, ','); }

}  // namespace graft
