/// @file
/// @brief The E2E data set's meaning representations, and the text that a language model reads in their place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/csv.hpp>
#include <graft/data/example.hpp>
#include <graft/data/text_file.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// Field names as the prefix-tuning paper's data spell them.
inline std::string e2e_field_name(std::string_view name) {
  if (name == "eatType") return "Type";
  if (name == "priceRange") return "price";
  if (name == "familyFriendly") return "family friendly";
  return std::string(name);
}

/// Values as the prefix-tuning paper's data tokenize them: `£` and a hyphen between digits stand apart (`£20-25` → `£
/// 20 - 25`).
inline std::string e2e_value(std::string_view value) {
  constexpr std::string_view pound = "\xc2\xa3";
  auto const digit = [&](std::size_t i) { return i < value.size() && value[i] >= '0' && value[i] <= '9'; };
  std::string result;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '-' && i > 0 && digit(i - 1) && digit(i + 1)) {
      result += " - ";
    } else if (value.substr(i, 2) == pound && i + 2 < value.size() && value[i + 2] != ' ') {
      (result += pound) += ' ';
      ++i;
    } else {
      result += value[i];
    }
  }
  return result;
}

/// One line of text: runs of white space that hold a line break become one space.
inline std::string join_lines(std::string_view text) {
  text = trim(text);
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t const end = std::min(text.find_first_not_of(" \t\r\n", i), text.size());
    std::string_view const space = text.substr(i, end - i);
    if (space.find_first_of("\r\n") != std::string_view::npos)
      result += ' ';
    else
      result += space;
    if (end < text.size()) result += text[end];
    i = end + 1;
  }
  return result;
}

}  // namespace detail

/// `name[The Vaults], eatType[pub], priceRange[£20-25]` as `name : The Vaults | Type : pub | price : £ 20 - 25`: the
/// order is kept, and the result equals the sources of XiangLi1999/PrefixTuning's `data/e2e_data` for every row of the
/// E2E data set.
/// @throws FileError naming `where` (file and line) when the text is not of that form
[[nodiscard]] inline std::string linearize_meaning_representation(std::string_view representation,
                                                                  std::string_view where = "meaning representation") {
  std::string result;
  std::string_view rest = trim(representation);
  do {
    std::size_t const open = rest.find('['), close = rest.find(']');
    std::string_view const name = trim(rest.substr(0, std::min(open, rest.size())));
    if (open == std::string_view::npos || close == std::string_view::npos || close < open || name.empty() ||
        name.find(',') != std::string_view::npos)
      fail<FileError>("[", where, "] malformed meaning representation; got '", representation.substr(0, 80),
                      "'; expected 'name[value], field[value], …'");
    if (!result.empty()) result += " | ";
    result += detail::e2e_field_name(name) + " : " + detail::e2e_value(trim(rest.substr(open + 1, close - open - 1)));
    rest = trim(rest.substr(close + 1));
    if (rest.empty()) break;
    if (rest.front() != ',')
      fail<FileError>("[", where, "] malformed meaning representation; got '", rest.substr(0, 40),
                      "' after a field; expected ', '");
    rest = trim(rest.substr(1));
  } while (true);
  return result;
}

namespace detail {

/// `read_e2e_csv` of rows that have been read from `file`.
[[nodiscard]] inline std::vector<Example> e2e_examples(std::vector<CsvRow> const& rows, std::string const& file) {
  if (rows.empty()) fail<FileError>("[", file, "] empty file; expected a header 'mr,ref' and rows");
  auto const& header = rows.front().fields;
  auto const column = [&](char const* name) {
    auto const found =
        std::find_if(header.begin(), header.end(), [&](std::string const& field) { return trim(field) == name; });
    if (found == header.end())
      fail<FileError>("[", file, "] line 1: no column '", name, "'; got ", header.size(), " columns, the first '",
                      header[0].substr(0, 40), "'; expected a header 'mr,ref'");
    return static_cast<std::size_t>(found - header.begin());
  };
  std::size_t const source = column("mr"), target = column("ref");
  std::vector<Example> examples;
  examples.reserve(rows.size() - 1);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    CsvRow const& row = rows[i];
    if (row.fields.size() != header.size())
      fail<FileError>("[", file, "] line ", row.line, ": wrong number of columns; got ", row.fields.size(),
                      "; expected ", header.size(), " as in the header");
    if (trim(row.fields[target]).empty())
      fail<FileError>("[", file, "] line ", row.line, ": empty text in column 'ref'; expected a reference");
    examples.push_back({linearize_meaning_representation(row.fields[source], cat(file, ", line ", row.line)),
                        detail::join_lines(row.fields[target]),
                        {},
                        {},
                        row.line});
  }
  if (examples.empty()) fail<FileError>("[", file, "] no rows after the header; expected at least one example");
  return examples;
}

}  // namespace detail

/// Rows of an E2E file (`trainset.csv`, `devset.csv`, `testset_w_refs.csv`; also the cleaned E2E data): columns `mr`
/// and `ref`, found by their names in the header. Sources are linearized, targets are the texts as written
/// (PrefixTuning's files have them tokenized), on one line.
/// @throws FileError with file and line for a malformed row, a missing column, or a file without rows
[[nodiscard]] inline std::vector<Example> read_e2e_csv(std::filesystem::path const& path) {
  return detail::e2e_examples(parse_csv(read_text_file(path), path.string()), path.string());
}

}  // namespace graft
