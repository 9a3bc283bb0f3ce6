/// @file
/// @brief Training and validation examples as the command line names them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/data/generated.hpp>
#include <graft/data/grouping.hpp>
#include <graft/data/readers.hpp>

#include "support/data_reading.hpp"
#include "support/option_group.hpp"
#include "support/option_rules.hpp"

namespace support {

inline constexpr char const* generated_data = "generated";
inline constexpr char const* data_help =
    "file of examples (CSV, TSV, JSONL, JSON or XML of E2E, WebNLG, DART, XSUM or columns of your own, source||text, "
    "or "
    "source<TAB>target), or 'generated' for the set that graft makes itself";

/// The names of a table of values and names, for the help and the check of an option.
template <class Table>
[[nodiscard]] std::vector<std::string> option_names(Table const& table) {
  std::vector<std::string> names;
  for (auto const& [value, name] : table) names.emplace_back(name);
  return names;
}

/// How the files of examples are to be read.
class DataChoice {
 public:
  /// @param texts whether texts are to be written; else classes are told apart
  /// @param classes_too whether a program does both, as the model says
  void add_to(OptionGroup const& option, bool texts = true, bool classes_too = false) {
    option("--format", reading_.format, "How the files are written; auto: as their names and first lines say",
           CLI::IsMember(option_names(graft::data_formats)));
    std::vector<std::string> tasks;
    for (graft::Task const& task : graft::tasks)
      if (texts || task.kind == graft::TaskKind::label) tasks.emplace_back(task.name);
    auto* const task = option("--task", reading_.task,
                              "The task that the files are of, whose columns and classes are known (default: what the "
                              "columns' names say)",
                              CLI::IsMember(tasks));
    std::string const of_texts =
        std::string("Which columns hold what: source=NAME,target=NAME, ") +
        (classes_too ? "of a classifier text=NAME,label=NAME and text_pair, " : "") +
        "and domain, id; numbers from 1 on where the files have no header (default: by the names in use)";
    option("--fields", reading_.fields,
           texts ? of_texts
                 : "Which columns hold what: text=NAME,label=NAME, and text_pair, domain, id (default: by the names in "
                   "use, else the first column is the text and the second the class)",
           CLI::Validator(
               [](std::string& text) {
                 try {
                   static_cast<void>(graft::parse_data_fields(text));
                 } catch (graft::ConfigError const& error) {
                   return std::string(error.what());
                 }
                 return std::string();
               },
               ""))
        ->excludes(task);
    if (!texts) return;
    option("--linearize", reading_.linearize,
           "How triples become a text: prefix_tuning (| s : p : o), pipes (s | p | o && …), tags (<H> s <R> p <T> o) "
           "(default: prefix_tuning)",
           CLI::IsMember(option_names(graft::linearizations)));
    option("--language", reading_.language, "Of triples, only the texts in this language, such as en (default: all)");
    option.flag("--good-texts", reading_.good_texts,
                "Of WebNLG, leave out the texts that are not marked good, as the prefix-tuning paper's code does");
  }
  [[nodiscard]] DataReading const& reading() const { return reading_; }
  [[nodiscard]] graft::DataOptions options() const { return reading_.options(); }
  /// @throws UsageError where one of the options is given. @param why the rest of the sentence
  static void refuse(CLI::App const& app, std::string const& why) {
    refuse_given(app, {"--format", "--task", "--fields", "--linearize", "--language", "--good-texts"}, why);
  }

 private:
  DataReading reading_;
};

struct TrainingData {
  std::vector<graft::Example> training, validation;
};

/// One file for both: a tenth of the sources is held out for validation. The generated set has a validation part of its
/// own.
inline TrainingData load_and_split(std::string const& data, std::uint64_t seed,
                                   graft::DataOptions const& options = {}) {
  if (data == generated_data) {
    graft::GeneratedDataOptions generation;
    generation.seed = seed;
    auto generated = graft::generate_data(generation);
    return {std::move(generated.training), std::move(generated.validation)};
  }
  auto parts = graft::split(graft::read_examples(data, options), 0.1, seed);
  return {std::move(parts.kept), std::move(parts.held_out)};
}

/// The first `rows` examples; 0 for all.
inline void keep_first(std::vector<graft::Example>& examples, std::size_t rows) {
  if (rows > 0 && rows < examples.size()) examples.resize(rows);
}

}  // namespace support
