/// @file
/// @brief A file of examples as a text, and which format it has.
#pragma once

#include <cstddef>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/data_options.hpp>
#include <graft/data/json_slices.hpp>
#include <graft/data/table.hpp>
#include <graft/data/text_file.hpp>
#include <string>
#include <string_view>

namespace graft::detail {

/// A file that has been read.
struct DataText {
  std::string file, text;
  DataFormat format = DataFormat::automatic;
};

inline constexpr char const* known_formats =
    "source||text, source<TAB>target, CSV or TSV with a header, JSONL, JSON, or the XML of WebNLG and DART";

/// JSON or JSONL, of a text that begins with a bracket: JSONL has something behind its first object, or all in one
/// line.
[[nodiscard]] inline DataFormat json_format(std::string_view text, std::string const& file) {
  JsonScanner scanner(text, file);
  if (scanner.next() == '[') return DataFormat::json;
  std::string_view const first = scanner.value().text;
  if (scanner.next() != '\0') return DataFormat::jsonl;
  bool const list =
      first.find("\"entries\"") != std::string_view::npos || first.find("\"data\"") != std::string_view::npos;
  return list || first.find('\n') != std::string_view::npos ? DataFormat::json : DataFormat::jsonl;
}

/// Whether a text begins as an object or a list of objects does.
[[nodiscard]] inline bool begins_json(std::string_view text) {
  std::size_t const next = text.find_first_not_of(" \t\r\n", 1);
  if (next == std::string_view::npos) return false;
  return text[0] == '{' ? text[next] == '"' || text[next] == '}'
                        : text[0] == '[' && (text[next] == '{' || text[next] == ']');
}

/// The format by the file's name, else by its first line that is not blank.
[[nodiscard]] inline DataFormat format_of(std::string_view text, std::string const& file) {
  std::string extension = std::filesystem::path(file).extension().string();
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  std::size_t const begin = text.find_first_not_of(" \t\r\n\f\v");
  if (extension == ".csv") return DataFormat::csv;
  if (extension == ".tsv") return DataFormat::tsv;
  if (extension == ".xml") return DataFormat::xml;
  if (extension == ".jsonl" || extension == ".ndjson") return DataFormat::jsonl;
  if (begin == std::string_view::npos)
    fail<FileError>("[", file, "] no examples; got an empty file; expected ", known_formats);
  if (extension == ".json" || begins_json(text.substr(begin))) return json_format(text, file);
  std::string_view const first = trim(text.substr(begin, text.find('\n', begin) - begin));
  if (first.starts_with("<?xml") || first.starts_with("<benchmark") || first.starts_with("<!--"))
    return DataFormat::xml;
  if (first.find("||") != std::string_view::npos) return DataFormat::source_text;
  if (first.find('\t') != std::string_view::npos) return DataFormat::tsv;
  if (first.find(',') != std::string_view::npos) return DataFormat::csv;
  fail<FileError>("[", file, "] unknown format; got a first line '", first.substr(0, 60), "'; expected ", known_formats,
                  "; hint: --format");
}

/// Reads a file, once: a pipe will do.
[[nodiscard]] inline DataText open_data(std::filesystem::path const& path, DataFormat format) {
  DataText data{path.string(), read_text_file(path), format};
  check_no_zero_byte(data.text, data.file);
  if (format == DataFormat::automatic) data.format = format_of(data.text, data.file);
  return data;
}

}  // namespace graft::detail
