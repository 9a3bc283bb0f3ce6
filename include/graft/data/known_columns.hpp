/// @file
/// @brief Columns by the names in use, where nobody says which column holds what.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/data/data_options.hpp>
#include <graft/data/detect_format.hpp>
#include <graft/data/table.hpp>
#include <graft/data/text_file.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

/// Names of source and target, in the order in which they are looked for.
inline constexpr std::array known_pairs{std::pair{"source", "target"}, std::pair{"document", "summary"},
                                        std::pair{"input", "output"}, std::pair{"prompt", "completion"},
                                        std::pair{"question", "answer"}};

/// Names of a text and of the second text of a pair; an empty second name: there is none.
inline constexpr std::array known_texts{std::pair{"text", "text_pair"},
                                        std::pair{"sentence1", "sentence2"},
                                        std::pair{"premise", "hypothesis"},
                                        std::pair{"question1", "question2"},
                                        std::pair{"question", "sentence"},
                                        std::pair{"sentence", ""},
                                        std::pair{"text", ""}};
inline constexpr std::array known_labels{"label", "class", "gold_label"};

[[nodiscard]] inline bool has_name(std::vector<std::string> const& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](std::string const& one) { return trim(one) == name; });
}

[[nodiscard]] inline std::optional<std::pair<std::string, std::string>> known_pair(
    std::vector<std::string> const& names) {
  for (auto const& [source, target] : known_pairs)
    if (has_name(names, source) && has_name(names, target)) return std::pair{std::string(source), std::string(target)};
  return std::nullopt;
}
[[nodiscard]] inline bool is_xsum(std::vector<std::string> const& names) {
  auto const pair = known_pair(names);
  return pair && pair->first == "document";
}

/// Whether columns are named by their numbers; some by numbers and some by names cannot be.
[[nodiscard]] inline bool are_numbered(DataFields const& f) {
  std::size_t numbers = 0, given = 0;
  for (auto const* name : {&f.source, &f.target, &f.text_pair, &f.label, &f.domain, &f.id}) {
    given += !name->empty();
    numbers += column_number(*name).has_value();
  }
  if (numbers > 0 && numbers < given)
    fail<ConfigError>("[fields] got columns by number and by name; expected one of the two: numbers say that the file ",
                      "has no header");
  return numbers > 0;
}

[[noreturn]] inline void refuse_columns(std::vector<std::string> const& names, std::string const& file,
                                        char const* wanted) {
  fail<FileError>("[", file, "] no columns that are known to hold ", wanted, "; got the columns ", listed_names(names),
                  "; hint: --fields says which hold what, --task what the file is of");
}

/// Columns source, target, domain, id.
[[nodiscard]] inline TablePlan pair_plan(DataOptions const& options, std::vector<std::string> const& names,
                                         std::string const& file) {
  DataFields const& f = options.fields;
  if (!f.text_pair.empty())
    fail<ConfigError>("[fields] got text_pair; expected it for classes only: a source is one text");
  auto const known = known_pair(names);
  std::string const target = f.target.empty() ? f.label : f.target;
  if (!known && (f.source.empty() || target.empty()))
    refuse_columns(names, file, "a source and a target (source and target, document and summary, input and output, …)");
  TablePlan plan;
  plan.columns = {{f.source.empty() ? known->first : f.source},
                  {target.empty() ? known->second : target, true, true},
                  {f.domain.empty() ? "domain" : f.domain, !f.domain.empty()},
                  {f.id.empty() && is_xsum(names) && !f.any() ? "id" : f.id, !f.id.empty()}};
  plan.numbered = are_numbered(options.fields);
  if (plan.numbered && f.domain.empty()) plan.columns[2].name.clear();
  plan.skips_first = options.header;
  return plan;
}

/// Columns text, second text, label, domain, id.
/// @param pair set where there is a second text
[[nodiscard]] inline TablePlan label_plan(DataOptions const& options, std::vector<std::string> const& names,
                                          DataText const& data, bool& pair) {
  DataFields f = options.fields;
  if (f.label.empty()) f.label = f.target;
  bool const json = data.format == DataFormat::json || data.format == DataFormat::jsonl;
  if (f.source.empty()) {
    for (auto const& [first, second] : known_texts)
      if (f.source.empty() && has_name(names, first) && (*second == '\0' || has_name(names, second))) {
        f.source = first;
        if (f.text_pair.empty()) f.text_pair = second;
      }
    bool const named =
        !f.source.empty() && (!f.label.empty() || std::any_of(known_labels.begin(), known_labels.end(),
                                                              [&](char const* name) { return has_name(names, name); }));
    if (!named && (json || !f.label.empty()))
      refuse_columns(names, data.file, "a text and a class (text and label, …)");
    if (!named) f.source = "1", f.label = "2", f.text_pair.clear();
  }
  if (f.label.empty())
    for (char const* name : known_labels)
      if (f.label.empty() && has_name(names, name)) f.label = name;
  bool const label_given = !f.label.empty();
  pair = !f.text_pair.empty();
  TablePlan plan;
  plan.numbered = are_numbered(f);
  bool const needed = label_given && (plan.numbered || !options.fields.label.empty());
  plan.columns = {
      {f.source}, {f.text_pair, pair}, {f.label, needed}, {f.domain, !f.domain.empty()}, {f.id, !f.id.empty()}};
  plan.skips_first = options.header;
  return plan;
}

}  // namespace graft::detail
