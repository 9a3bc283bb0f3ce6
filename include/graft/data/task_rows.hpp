/// @file
/// @brief Rows of a task's file as texts: its columns found, its templates filled, its classes named.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <graft/core/error.hpp>
#include <graft/data/e2e.hpp>
#include <graft/data/labelled.hpp>
#include <graft/data/table.hpp>
#include <graft/data/tasks.hpp>
#include <graft/data/text_file.hpp>
#include <graft/text/printable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

/// A piece of a template: a text, or the columns of which one stands there.
struct TemplatePiece {
  std::string text;
  std::vector<std::string> columns;
};

/// `{word}: {sentence1}` → column, text, column.
[[nodiscard]] inline std::vector<TemplatePiece> template_pieces(std::string_view form) {
  std::vector<TemplatePiece> pieces;
  while (!form.empty()) {
    if (form.front() == '{') {
      std::size_t const end = form.find('}');
      pieces.push_back({{}, parts_of(form.substr(1, end - 1), '|')});
      form.remove_prefix(end + 1);
    } else {
      std::size_t const end = std::min(form.find('{'), form.size());
      pieces.push_back({std::string(form.substr(0, end)), {}});
      form.remove_prefix(end);
    }
  }
  return pieces;
}

/// The first of `wanted` that `names` has, else the first.
[[nodiscard]] inline std::string column_of(std::vector<std::string> const& wanted,
                                           std::vector<std::string> const& names) {
  for (std::string const& one : wanted)
    if (std::any_of(names.begin(), names.end(), [&](auto const& name) { return trim(name) == one; })) return one;
  return wanted.front();
}

/// A task's rows: which columns are asked for, and how they become texts.
class TaskRows {
 public:
  TaskRows(Task const& task, std::string const& file)
      : task_(task), file_(file), first_(template_pieces(task.first)), second_(template_pieces(task.second)) {}

  /// Columns in this order: the templates' ones, those that the task needs besides, the target, the id.
  [[nodiscard]] TablePlan plan(std::vector<std::string> const& names) {
    std::vector<std::string> known = names;
    TablePlan plan;
    auto const without_header = parts_of(task_.columns, ',');
    bool const header = std::any_of(names.begin(), names.end(), [&](auto const& name) {
      return trim(name) == column_of(first_columns(), {std::string(trim(name))});
    });
    if (!header && !without_header.empty() && names.size() == without_header.size())
      plan.names = known = without_header;
    columns_.clear();
    for (auto const* pieces : {&first_, &second_})
      for (TemplatePiece const& piece : *pieces)
        if (!piece.columns.empty()) add(column_of(piece.columns, known));
    if (task_.name == "wsc") add(column_of({"target.span2_index", "span2_index"}, known));
    if (task_.name == "wsc") add(column_of({"target.span2_text", "span2_text"}, known));
    for (std::string const& column : columns_) plan.columns.push_back({column});
    plan.columns.push_back({column_of(parts_of(task_.target, '|'), known), task_.kind == TaskKind::text,
                            task_.kind == TaskKind::text || task_.name == "record"});
    plan.columns.push_back({column_of({"id", "idx"}, known), false, false});
    plan.skips_short_rows = task_.name == "qqp";  // GLUE's files have a few
    return plan;
  }

  /// The class's name; none where the file does not say.
  /// @throws FileError for one that the task does not have
  [[nodiscard]] std::optional<std::string> label(std::string_view text, std::size_t line) const {
    text = trim(text);
    if (text.empty() || text == "-1") return std::nullopt;
    auto const classes = class_names(task_);
    auto const lower = [](std::string_view word) {
      std::string result(word);
      for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      return result;
    };
    for (std::string const& one : classes)
      if (lower(text) == one) return one;
    std::size_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size() && number < classes.size()) return classes[number];
    std::string names;
    for (std::string const& one : classes) (names += names.empty() ? "" : ", ") += one;
    fail<FileError>("[", file_, "] line ", line, " has the class ", printable(text), "; expected ", names, ", or 0 to ",
                    classes.size() - 1, "; hint: is it a file of the task ", task_.name, "?");
  }

  /// The filled templates.
  [[nodiscard]] LabelledText texts(TableRow const& row) const {
    std::vector<std::string> values(row.values.begin(),
                                    row.values.begin() + static_cast<std::ptrdiff_t>(columns_.size()));
    adapt(values, row.line);
    std::size_t next = 0;
    LabelledText result{fill(first_, values, next), {}, {}, {}, row.line, row.values.back()};
    if (!second_.empty()) result.pair = fill(second_, values, next);
    if (result.text.empty() && result.pair.value_or("").empty())
      fail<FileError>("[", file_, "] line ", row.line, " has no text in the column ", printable(columns_.front()),
                      "; expected one");
    return result;
  }

  /// The row as one text, as T5 was trained: the task's name, then the columns with their names.
  [[nodiscard]] std::string sentence(TableRow const& row) const {
    std::string text(task_.name);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].ends_with("span2_index") ||
          std::find(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(i), columns_[i]) !=
              columns_.begin() + static_cast<std::ptrdiff_t>(i))
        continue;
      std::size_t const point = columns_[i].find('.');
      text += " " + columns_[i].substr(point == std::string::npos ? 0 : point + 1) + ": " + join_lines(row.values[i]);
    }
    return text;
  }

  /// STS-B's number as T5 writes it: the nearest multiple of 0.2.
  [[nodiscard]] std::string number(std::string const& text, std::size_t line) const {
    char* end = nullptr;
    double const value = std::strtod(text.c_str(), &end);
    if (trim(text).empty() || !trim(end).empty() || !(value >= 0 && value <= 5))
      fail<FileError>("[", file_, "] line ", line, " has the score ", printable(text),
                      "; expected a number from 0 to 5");
    char out[16];
    std::snprintf(out, sizeof out, "%.1f", static_cast<double>(static_cast<int>(value * 5 + 0.5)) / 5);
    return out;
  }

  [[nodiscard]] std::size_t target() const { return columns_.size(); }

 private:
  [[nodiscard]] std::vector<std::string> first_columns() const {
    for (TemplatePiece const& piece : first_)
      if (!piece.columns.empty()) return piece.columns;
    return {""};
  }

  void add(std::string column) { columns_.push_back(std::move(column)); }

  /// What P-tuning v2's code changes of a row.
  void adapt(std::vector<std::string>& values, std::size_t line) const {
    if (task_.name == "copa") {
      std::string& question = values[1];
      if (question != "cause" && question != "effect")
        fail<FileError>("[", file_, "] line ", line, " has the question ", printable(question),
                        "; expected cause or effect");
      question = question == "cause" ? "What was the cause of this?" : "What happened as a result?";
    }
    if (task_.name == "wsc") mark_word(values[0], values[2], line);
  }

  /// Puts asterisks around the word of that number, counted from 0 between white space.
  void mark_word(std::string& text, std::string const& number, std::size_t line) const {
    std::size_t wanted = 0;
    auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), wanted);
    std::string result;
    std::size_t word = 0;
    bool found = error == std::errc() && end == number.data() + number.size();
    bool marked = false;
    for (std::size_t at = 0; at < text.size();) {
      std::size_t const begin = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
      std::size_t const stop = std::min(text.find_first_of(" \t\r\n", begin), text.size());
      if (begin == stop) break;
      if (!result.empty()) result += ' ';
      bool const mark = found && word++ == wanted;
      marked = marked || mark;
      result += (mark ? "*" : "") + text.substr(begin, stop - begin) + (mark ? "*" : "");
      at = stop;
    }
    if (!marked)
      fail<FileError>("[", file_, "] line ", line, " has the word number ", printable(number),
                      " in the field span2_index; expected the number of a word of the text, counted from 0");
    text = std::move(result);
  }

  [[nodiscard]] static std::string fill(std::vector<TemplatePiece> const& pieces,
                                        std::vector<std::string> const& values, std::size_t& next) {
    std::string text;
    for (TemplatePiece const& piece : pieces) text += piece.columns.empty() ? piece.text : join_lines(values[next++]);
    return text;
  }

  Task const& task_;
  std::string const& file_;
  std::vector<TemplatePiece> first_, second_;
  std::vector<std::string> columns_;  ///< of the templates, in their order, and those needed besides
};

}  // namespace graft::detail
