/// @file
/// @brief The tasks whose JSON objects hold several examples each: MultiRC and ReCoRD.
#pragma once

#include <algorithm>
#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/core/replace_all.hpp>
#include <graft/data/json_table.hpp>
#include <graft/data/json_triples.hpp>
#include <graft/data/tasks.hpp>
#include <graft/text/utf8.hpp>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::detail {

/// A row for each answer of each question of a passage.
[[nodiscard]] inline std::vector<nlohmann::json> multirc_rows(nlohmann::json const& object, std::string const& where) {
  std::vector<nlohmann::json> rows;
  nlohmann::json const& passage = needed_field(object, "passage", where);
  for (nlohmann::json const& question : needed_list(passage, "questions", where))
    for (nlohmann::json const& answer : needed_list(question, "answers", where)) {
      nlohmann::json row{{"paragraph", needed_field(passage, "text", where)},
                         {"question", needed_field(question, "question", where)},
                         {"answer", needed_field(answer, "text", where)},
                         {"idx", text_or_none(object, "idx", where) + "_" + text_or_none(question, "idx", where) + "_" +
                                     text_or_none(answer, "idx", where)}};
      if (nlohmann::json const* const label = field_at(answer, "label")) row["label"] = *label;
      rows.push_back(std::move(row));
    }
  return rows;
}

/// The text of a passage whose summary points begin with a mark: they become sentences.
[[nodiscard]] inline std::string without_highlights(std::string text) {
  for (std::string const end : {".", "?", "!", "\"", "'"}) replace_all(text, end + "\n@highlight\n", end + " ");
  replace_all(text, "\n@highlight\n", ". ");
  return text;
}

/// The distinct texts of a list of objects with a field `text`, in their order.
[[nodiscard]] inline std::vector<std::string> distinct_texts(nlohmann::json const& list, std::string const& where) {
  std::vector<std::string> texts;
  for (nlohmann::json const& one : list) {
    std::string text = needed_text(one, "text", where);
    if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(std::move(text));
  }
  return texts;
}

/// The names that stand in a passage: spans of its text, `end` the last character's number.
[[nodiscard]] inline std::vector<std::string> record_entities(nlohmann::json const& passage, std::string const& where) {
  std::string const text = needed_text(passage, "text", where);
  std::vector<std::size_t> starts;  // of characters, and the end
  for (std::size_t at = 0; at < text.size(); at += utf8_at(text, at).bytes) starts.push_back(at);
  starts.push_back(text.size());
  std::vector<std::string> names;
  for (nlohmann::json const& span : needed_list(passage, "entities", where)) {
    nlohmann::json const *const start = field_at(span, "start"), *const end = field_at(span, "end");
    bool const numbers = start && end && start->is_number_unsigned() && end->is_number_unsigned();
    auto const first = numbers ? start->get<std::size_t>() : 0, last = numbers ? end->get<std::size_t>() : 0;
    if (!numbers || last < first || last >= starts.size() - 1)
      fail<FileError>(where, " has an entity outside the passage; expected start and end, numbers of its characters");
    std::string name = text.substr(starts[first], starts[last + 1] - starts[first]);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

/// For classes a row for each query with each name of the passage in its place, else one for each query.
[[nodiscard]] inline std::vector<nlohmann::json> record_rows(nlohmann::json const& object, std::string const& where,
                                                             bool classes) {
  std::vector<nlohmann::json> rows;
  nlohmann::json const& passage = needed_field(object, "passage", where);
  std::string const text = without_highlights(needed_text(passage, "text", where));
  auto const entities = record_entities(passage, where);
  for (nlohmann::json const& question : needed_list(object, "qas", where)) {
    std::string const query = needed_text(question, "query", where), id = text_or_none(question, "idx", where);
    nlohmann::json const* const given = field_at(question, "answers");
    if (given && !given->is_array()) fail<FileError>(where, " has no list in the field answers; expected one");
    auto const answers = given ? distinct_texts(*given, where) : std::vector<std::string>{};
    if (!classes) {
      std::string names;
      for (std::string const& name : entities) names += (names.empty() ? "" : ", ") + name;
      rows.push_back({{"passage", text}, {"query", query + " entities: " + names}, {"idx", id}, {"label", answers}});
      continue;
    }
    for (std::string const& name : entities) {
      std::string filled = query;
      replace_all(filled, "@placeholder", name);
      nlohmann::json row{{"passage", text}, {"query", filled}, {"idx", id}};
      if (given) row["label"] = std::find(answers.begin(), answers.end(), name) != answers.end() ? 1 : 0;
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

/// How a task's objects become rows; empty where one is one.
/// @param classes whether classes are told apart, and no texts written
[[nodiscard]] inline JsonExpansion expansion_of(Task const& task, bool classes) {
  if (task.name == "multirc") return multirc_rows;
  if (task.name == "record")
    return [classes](nlohmann::json const& object, std::string const& where) {
      return record_rows(object, where, classes);
    };
  return {};
}

}  // namespace graft::detail
