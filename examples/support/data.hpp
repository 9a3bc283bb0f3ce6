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
  /// @param texts whether texts are to be written, and no classes told apart
  void add_to(OptionGroup const& option, bool texts = true) {
    option("--format", format_, "How the files are written; auto: as their names and first lines say",
           CLI::IsMember(option_names(graft::data_formats)));
    std::vector<std::string> tasks;
    for (graft::Task const& task : graft::tasks)
      if (texts || task.kind == graft::TaskKind::label) tasks.emplace_back(task.name);
    auto* const task = option("--task", task_,
                              "The task that the files are of, whose columns and classes are known (default: what the "
                              "columns' names say)",
                              CLI::IsMember(tasks));
    option("--fields", fields_,
           texts
               ? "Which columns hold what: source=NAME,target=NAME, and domain, id; numbers from 1 on where the files "
                 "have no header (default: by the names in use)"
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
    option("--linearize", linearization_,
           "How triples become a text: prefix_tuning (| s : p : o), pipes (s | p | o && …), tags (<H> s <R> p <T> o) "
           "(default: prefix_tuning)",
           CLI::IsMember(option_names(graft::linearizations)));
    option("--language", language_, "Of triples, only the texts in this language, such as en (default: all)");
    option.flag("--good-texts", good_texts_,
                "Of WebNLG, leave out the texts that are not marked good, as the prefix-tuning paper's code does");
  }
  [[nodiscard]] graft::DataOptions options() const {
    graft::DataOptions options;
    options.format = graft::parse_data_format(format_);
    options.task = task_;
    if (!fields_.empty()) options.fields = graft::parse_data_fields(fields_);
    if (!linearization_.empty()) options.linearization = graft::parse_linearization(linearization_);
    options.good_texts = good_texts_, options.language = language_;
    return options;
  }
  /// @throws UsageError where one of the options is given. @param why the rest of the sentence
  static void refuse(CLI::App const& app, std::string const& why) {
    refuse_given(app, {"--format", "--task", "--fields", "--linearize", "--language", "--good-texts"}, why);
  }

 private:
  std::string format_ = "auto", task_, fields_, linearization_, language_;
  bool good_texts_ = false;
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
