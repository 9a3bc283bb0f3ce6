/// @file
/// @brief Files of named columns: the columns that are asked for, row by row, as texts.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <functional>
#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/data/csv.hpp>
#include <graft/data/text_file.hpp>
#include <graft/text/printable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace graft {

/// A column that is asked for.
struct TableColumn {
  std::string name;     ///< as in the header; where the file has none, its number, counted from 1; empty: no column
  bool needed = true;   ///< false: a file or a row without it has an empty text there
  bool listed = false;  ///< a JSON array is taken: its first text stands in the row, the others in `TableRow::more`
};

/// What is asked for of a file whose names are known.
struct TablePlan {
  std::vector<TableColumn> columns;
  std::vector<std::string> names;  ///< the names of a file without a header; empty: the first row is the header
  bool numbered = false;          ///< the columns are named by their numbers: rows need those columns and may have more
  bool skips_first = false;       ///< numbered, and the first row names the columns all the same
  bool skips_short_rows = false;  ///< rows of too few columns are left out, with a warning, in place of an error
};

/// Says what is asked for, given the names of the first row (of the first object's fields).
using TableChoice = std::function<TablePlan(std::vector<std::string> const& names)>;

/// The texts of the columns asked for, in their order.
struct TableRow {
  std::vector<std::string> values;
  std::vector<std::string> more;  ///< further texts of the listed column
  std::size_t line = 0;
};

namespace detail {

/// The number that names a column, counted from 1; none for another name.
[[nodiscard]] inline std::optional<std::size_t> column_number(std::string_view name) {
  std::size_t value = 0;
  auto const [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size() || value == 0) return std::nullopt;
  return value;
}

[[nodiscard]] inline std::string listed_names(std::vector<std::string> const& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < 20; ++i) text += (i > 0 ? ", " : "") + printable_name(names[i]);
  return text + (names.size() > 20 ? ", …" : "");
}

/// @throws FileError for a zero byte, which no text file holds
inline void check_no_zero_byte(std::string_view text, std::string const& file) {
  std::size_t const at = text.find('\0');
  if (at == std::string_view::npos) return;
  auto const line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  fail<FileError>("[", file, "] line ", line,
                  " has a zero byte; expected a text file; hint: is it compressed, or UTF-16?");
}

/// Lines of columns between tabs, without quoting; blank lines are skipped.
[[nodiscard]] inline std::vector<CsvRow> tab_rows(std::string_view text) {
  std::vector<CsvRow> rows;
  for (TextLine const& line : split_lines(text)) {
    if (trim(line.text).empty()) continue;
    CsvRow row{{}, line.number};
    for (std::size_t begin = 0;;) {
      std::size_t const tab = line.text.find('\t', begin);
      row.fields.emplace_back(line.text.substr(begin, tab - begin));
      if (tab == std::string_view::npos) break;
      begin = tab + 1;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Where each column of a plan stands; none for an optional one that the file lacks.
/// @throws FileError for a column that is missing, and for one whose name stands there several times
[[nodiscard]] inline std::vector<std::optional<std::size_t>> column_places(TablePlan const& plan,
                                                                           std::vector<std::string> const& names,
                                                                           std::string const& file, std::size_t line) {
  std::vector<std::optional<std::size_t>> places;
  for (TableColumn const& column : plan.columns) {
    auto const found = std::find_if(names.begin(), names.end(), [&](std::string const& name) {
      return !column.name.empty() && trim(name) == column.name;  // an unnamed column is nobody's
    });
    if (found != names.end()) {
      if (std::any_of(found + 1, names.end(), [&](std::string const& name) { return trim(name) == column.name; }))
        fail<FileError>("[", file, "] line ", line, " has several columns ", printable(column.name),
                        ", which is read; expected one; hint: another name in the header, or the columns' numbers");
      places.emplace_back(static_cast<std::size_t>(found - names.begin()));
    } else if (column.needed) {
      fail<FileError>("[", file, "] line ", line, ": no column ", printable(column.name), "; got the columns ",
                      listed_names(names), "; expected that name in the header; hint: --fields");
    } else {
      places.emplace_back();
    }
  }
  return places;
}

/// Rows of a file whose columns are named by their numbers.
[[nodiscard]] inline std::vector<TableRow> numbered_table(std::vector<CsvRow>&& rows, TablePlan const& plan,
                                                          std::string const& file) {
  std::vector<TableRow> table;
  table.reserve(rows.size());
  for (std::size_t i = plan.skips_first ? 1 : 0; i < rows.size(); ++i) {
    TableRow result{{}, {}, rows[i].line};
    for (TableColumn const& column : plan.columns) {
      std::size_t const number = column_number(column.name).value_or(0);
      if (column.needed && (number < 1 || number > rows[i].fields.size()))
        fail<FileError>("[", file, "] line ", rows[i].line, " has ", rows[i].fields.size(),
                        " columns; expected a column ", column.name, "; hint: which columns are read");
      result.values.push_back(number < 1 || number > rows[i].fields.size() ? "" : rows[i].fields[number - 1]);
    }
    table.push_back(std::move(result));
    rows[i].fields.clear();
  }
  if (table.empty()) fail<FileError>("[", file, "] holds no rows; expected at least one");
  return table;
}

}  // namespace detail

/// The rows of delimited text that has been split, with the columns that `choose` asks for.
/// @throws FileError with file and line for a column that is missing or there several times, and a row of another
/// number of columns than the header
[[nodiscard]] inline std::vector<TableRow> table_of_rows(std::vector<CsvRow>&& rows, std::string const& file,
                                                         TableChoice const& choose) {
  if (rows.empty())
    fail<FileError>("[", file, "] holds no rows; got an empty file; expected a header and rows, or rows");
  TablePlan const plan = choose(rows.front().fields);
  if (plan.numbered) return detail::numbered_table(std::move(rows), plan, file);
  bool const header = plan.names.empty();
  std::vector<std::string> const names = header ? rows.front().fields : plan.names;
  auto const places = detail::column_places(plan, names, file, rows.front().line);
  std::vector<TableRow> table;
  table.reserve(rows.size());
  std::size_t skipped = 0, first_skipped = 0;
  for (std::size_t i = header ? 1 : 0; i < rows.size(); ++i) {
    CsvRow& row = rows[i];
    if (row.fields.size() != names.size()) {
      if (!plan.skips_short_rows || row.fields.size() > names.size())
        fail<FileError>("[", file, "] line ", row.line, ": wrong number of columns; got ", row.fields.size(),
                        "; expected ", names.size(), header ? " as in the header" : " as in the first row");
      if (++skipped == 1) first_skipped = row.line;
      continue;
    }
    TableRow result{{}, {}, row.line};
    for (auto const& place : places)  // copied: one column may be asked for twice
      result.values.push_back(place ? row.fields[*place] : std::string());
    table.push_back(std::move(result));
    row.fields.clear();
  }
  if (skipped > 0)
    warn("[", file, "] ", skipped, skipped == 1 ? " row has" : " rows have", " too few columns, the first in line ",
         first_skipped, "; they are left out");
  if (table.empty()) fail<FileError>("[", file, "] no rows after the header; expected at least one example");
  return table;
}

}  // namespace graft
