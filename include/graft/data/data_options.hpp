/// @file
/// @brief How a file of examples is to be read: its format, what its columns hold, its task, and how triples are
/// written.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <graft/text/printable.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graft {

/// The syntax of a file of examples.
enum class DataFormat : std::uint8_t {
  automatic,    ///< by the file's name and its beginning
  source_text,  ///< lines `source||text`
  csv,          ///< RFC 4180
  tsv,          ///< lines of columns between tabs, without quoting
  jsonl,        ///< a JSON object a line
  json,         ///< a JSON array of objects, or WebNLG's object of entries
  xml,          ///< the benchmark files of WebNLG and DART
};

/// The formats' names on command lines.
inline constexpr std::array data_formats{
    std::pair{DataFormat::automatic, "auto"}, std::pair{DataFormat::source_text, "source_text"},
    std::pair{DataFormat::csv, "csv"},        std::pair{DataFormat::tsv, "tsv"},
    std::pair{DataFormat::jsonl, "jsonl"},    std::pair{DataFormat::json, "json"},
    std::pair{DataFormat::xml, "xml"}};

/// How a set of triples becomes one source text. With s, p, o for subject, property, object:
enum class Linearization : std::uint8_t {
  prefix_tuning,  ///< as the prefix-tuning paper's code: WebNLG `| s : p : o | s : p : o`; DART `s : p : o | s : p : o`
                  ///< with p in lower case
  pipes,          ///< `s | p | o && s | p | o` (Kale and Rastogi 2020)
  tags,           ///< `<H> s <R> p <T> o <H> s <R> p <T> o` (Ribeiro et al. 2020)
};

/// The linearizations' names on command lines.
inline constexpr std::array linearizations{std::pair{Linearization::prefix_tuning, "prefix_tuning"},
                                           std::pair{Linearization::pipes, "pipes"},
                                           std::pair{Linearization::tags, "tags"}};

/// The columns (JSON: fields) that hold what an example has. An empty one is found by the names in use.
///
/// A column is named as in the file's header. A number counts columns from 1 and says that the file has no header. In
/// JSON, `target.span1_text` is the field `span1_text` of the object `target`.
struct DataFields {
  std::string source;     ///< what is read; of a classification, the (first) text
  std::string target;     ///< what is written; a JSON array holds several references
  std::string text_pair;  ///< of a classification, the second text
  std::string label;      ///< of a classification, the class
  std::string domain;     ///< what kind of thing the source describes
  std::string id;         ///< rows with equal id and source are one entry with several references

  [[nodiscard]] bool any() const {
    return !(source.empty() && target.empty() && text_pair.empty() && label.empty() && domain.empty() && id.empty());
  }
};

/// What a reader of examples is told; what is left alone is found in the file.
struct DataOptions {
  DataFormat format = DataFormat::automatic;
  std::string task;  ///< a name of `tasks` (data/tasks.hpp), whose columns and classes are then known
  DataFields fields;
  bool header = false;  ///< of columns named by their numbers: the first row names them all the same, and is no example
  std::optional<Linearization> linearization;  ///< of triples; without it the paper's
  bool good_texts = false;  ///< of triples: leave out the texts that annotators marked as not good, as the paper's code
  std::string language;     ///< of triples: only texts in this language ("en"); empty: all
};

namespace detail {

template <class Table>
[[nodiscard]] std::string names_in(Table const& table) {
  std::string names;
  for (auto const& [value, name] : table) (names += names.empty() ? "" : ", ") += name;
  return names;
}

template <class Table>
[[nodiscard]] auto value_named(Table const& table, std::string_view name, char const* what) {
  for (auto const& [value, known] : table)
    if (name == known) return value;
  fail<ConfigError>("[", what, "] got ", printable(name), "; expected one of ", names_in(table));
}

}  // namespace detail

/// @throws ConfigError for a name that `data_formats` lacks
[[nodiscard]] inline DataFormat parse_data_format(std::string_view name) {
  return detail::value_named(data_formats, name, "format");
}
/// @throws ConfigError for a name that `linearizations` lacks
[[nodiscard]] inline Linearization parse_linearization(std::string_view name) {
  return detail::value_named(linearizations, name, "linearization");
}

/// `source=question,target=answer`: which column holds what. `text` is another name of `source`.
/// @throws ConfigError for an unknown role, one given twice, or a part without a name
[[nodiscard]] inline DataFields parse_data_fields(std::string_view text) {
  DataFields fields;
  std::array const roles{
      std::pair{&fields.source, "source"}, std::pair{&fields.source, "text"}, std::pair{&fields.text_pair, "text_pair"},
      std::pair{&fields.target, "target"}, std::pair{&fields.label, "label"}, std::pair{&fields.domain, "domain"},
      std::pair{&fields.id, "id"}};
  for (std::size_t start = 0; start <= text.size();) {
    std::size_t const comma = std::min(text.find(',', start), text.size());
    std::string_view const part = text.substr(start, comma - start);
    std::size_t const equals = part.find('=');
    if (equals == std::string_view::npos || trim(part.substr(equals + 1)).empty())
      fail<ConfigError>("[fields] got ", printable(part), "; expected ROLE=COLUMN,… with the roles ",
                        detail::names_in(roles));
    std::string& column = *detail::value_named(roles, trim(part.substr(0, equals)), "fields");
    if (!column.empty())
      fail<ConfigError>("[fields] got ", printable(part), " after ", printable(column), "; expected each role once");
    column = trim(part.substr(equals + 1));
    start = comma + 1;
  }
  return fields;
}

}  // namespace graft
