/// @file
/// @brief JSON objects as rows of a table: JSONL and JSON arrays.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <graft/core/error.hpp>
#include <graft/data/json_slices.hpp>
#include <graft/data/table.hpp>
#include <graft/data/text_file.hpp>
#include <graft/text/printable.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::detail {

/// Makes several rows of an object, for tasks that nest them; an empty function makes one.
using JsonExpansion =
    std::function<std::vector<nlohmann::json>(nlohmann::json const& object, std::string const& where)>;

/// The fields' names; those of an object within it as `object.field`.
[[nodiscard]] inline std::vector<std::string> field_names(nlohmann::json const& object) {
  std::vector<std::string> names;
  for (auto const& [key, value] : object.items()) {
    if (value.is_object())
      for (auto const& [inner, unused] : value.items()) names.push_back(key + "." + inner);
    else
      names.push_back(key);
  }
  return names;
}

/// The value at `name`, or at the path that its points make; none where it is missing.
[[nodiscard]] inline nlohmann::json const* field_at(nlohmann::json const& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  if (auto const found = object.find(std::string(name)); found != object.end()) return &*found;
  std::size_t const point = name.find('.');
  if (point == std::string_view::npos) return nullptr;
  auto const inner = object.find(std::string(name.substr(0, point)));
  return inner == object.end() ? nullptr : field_at(*inner, name.substr(point + 1));
}

/// A value as a text: strings, numbers, true and false; null is empty.
/// @throws FileError for a list, an object, and a number that a double rounds to another whole number
[[nodiscard]] inline std::string field_text(nlohmann::json const& value, std::string_view name,
                                            std::string const& where) {
  if (value.is_null()) return {};
  if (value.is_structured())
    fail<FileError>(where, " has ", value.is_array() ? "a list" : "an object", " in the field ", printable(name),
                    "; expected a text, a number, true or false");
  constexpr double exact = 9007199254740992;  // 2^53: whole numbers up to here are doubles
  if (value.is_number_float() && std::abs(value.get<double>()) >= exact)
    fail<FileError>(where, " has the number ", value.dump(), " in the field ", printable(name),
                    ", whose digits are not all kept; expected a smaller one, or a text in quotes");
  if (!value.is_string()) return value.dump();
  std::string const& text = value.get_ref<std::string const&>();
  if (text.find('\0') != std::string::npos)
    fail<FileError>(where, " has a zero character in the field ", printable(name), "; expected a text without");
  return text;
}

/// Takes objects one by one into a table.
class JsonTable {
 public:
  JsonTable(std::string const& file, TableChoice const& choose, JsonExpansion const& expand)
      : file_(file), choose_(choose), expand_(expand) {}

  void take(JsonSlice const& slice) {
    nlohmann::json const object = parse_slice(slice, file_);
    std::string const where = cat("[", file_, "] line ", slice.line);
    if (!object.is_object())
      fail<FileError>(where, " is no JSON object; got ", printable(slice.text.substr(0, 40)),
                      "; expected {\"field\": …}");
    if (!expand_) return take_row(object, slice.line, where);
    for (nlohmann::json const& one : expand_(object, where)) take_row(one, slice.line, where);
  }
  /// @throws FileError if there are none
  [[nodiscard]] std::vector<TableRow> rows() && {
    if (rows_.empty()) fail<FileError>("[", file_, "] no examples; expected JSON objects");
    return std::move(rows_);
  }

 private:
  void take_row(nlohmann::json const& object, std::size_t line, std::string const& where) {
    if (rows_.empty()) plan_ = choose_(field_names(object));
    TableRow row{{}, {}, line};
    for (TableColumn const& column : plan_.columns) {
      nlohmann::json const* const value = column.name.empty() ? nullptr : field_at(object, column.name);
      if (!value && column.needed)
        fail<FileError>(where, ": no field ", printable(column.name), "; got the fields ",
                        listed_names(field_names(object)), "; expected that name; hint: --fields");
      if (!value) {
        row.values.emplace_back();
      } else if (column.listed && value->is_array()) {
        row.values.emplace_back();
        for (std::size_t i = 0; i < value->size(); ++i)
          (i == 0 ? row.values.back() : row.more.emplace_back()) = field_text((*value)[i], column.name, where);
      } else {
        row.values.push_back(field_text(*value, column.name, where));
      }
    }
    rows_.push_back(std::move(row));
  }

  std::string const& file_;
  TableChoice const& choose_;
  JsonExpansion const& expand_;
  TablePlan plan_;
  std::vector<TableRow> rows_;
};

/// The rows of a file with a JSON object a line; blank lines are skipped.
[[nodiscard]] inline std::vector<TableRow> jsonl_table(std::string_view text, std::string const& file,
                                                       TableChoice const& choose, JsonExpansion const& expand = {}) {
  JsonTable table(file, choose, expand);
  for (TextLine const& line : split_lines(text))
    if (!trim(line.text).empty()) table.take({trim(line.text), line.number});
  return std::move(table).rows();
}

/// The rows of a file with a JSON array of objects.
[[nodiscard]] inline std::vector<TableRow> json_table(std::string_view text, std::string const& file,
                                                      TableChoice const& choose, JsonExpansion const& expand = {}) {
  JsonTable table(file, choose, expand);
  each_listed(text, file, [&](JsonSlice const& slice) { table.take(slice); });
  return std::move(table).rows();
}

}  // namespace graft::detail
