/// @file
/// @brief Reads examples from E2E CSV, `source||text` and tab-separated files.
#pragma once

#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/e2e.hpp>
#include <graft/data/example.hpp>
#include <graft/data/text_file.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// One example a line, source and target parted by exactly one `separator`; blank lines are skipped, `header` too if it
/// is the first line.
inline std::vector<Example> separated_examples(std::string_view text, std::string const& file,
                                               std::string_view separator, char const* form, std::string_view header) {
  std::vector<Example> examples;
  for (TextLine const& line : split_lines(text)) {
    if (trim(line.text).empty() || (line.number == 1 && line.text == header)) continue;
    std::size_t const at = line.text.find(separator);
    if (at == std::string_view::npos || line.text.find(separator, at + separator.size()) != std::string_view::npos)
      fail<FileError>("[", file, "] line ", line.number, ": malformed row; got '", line.text.substr(0, 60), "' with ",
                      at == std::string_view::npos ? "no separator" : "more than one separator", "; expected '", form,
                      "'");
    std::string_view const source = trim(line.text.substr(0, at)),
                           target = trim(line.text.substr(at + separator.size()));
    if (source.empty() || target.empty())
      fail<FileError>("[", file, "] line ", line.number, ": empty ", source.empty() ? "source" : "text", "; expected '",
                      form, "'");
    examples.push_back({std::string(source), std::string(target), {}, {}, line.number});
  }
  if (examples.empty()) fail<FileError>("[", file, "] no examples; got an empty file; expected lines of '", form, "'");
  return examples;
}

inline std::vector<Example> source_text_examples(std::string_view text, std::string const& file) {
  return separated_examples(text, file, "||", "source||text", "");
}
inline std::vector<Example> tsv_examples(std::string_view text, std::string const& file) {
  return separated_examples(text, file, "\t", "source<TAB>target", "source\ttarget");
}

}  // namespace detail

/// Rows `source||text` (the prefix-tuning paper's files); white space around both is dropped.
/// @throws FileError with file and line for a row without exactly one `||`, and for a file without rows
[[nodiscard]] inline std::vector<Example> read_source_text(std::filesystem::path const& path) {
  return detail::source_text_examples(read_text_file(path), path.string());
}

/// Rows source, tab, target, without quoting; a first line `source<TAB>target` is a header. White space around both is
/// dropped.
/// @throws FileError with file and line for a row without exactly one tab, and for a file without rows
[[nodiscard]] inline std::vector<Example> read_tsv(std::filesystem::path const& path) {
  return detail::tsv_examples(read_text_file(path), path.string());
}

/// Examples of a file in any of the known formats: `.csv` is E2E's, `.tsv` tab-separated; otherwise the first line that
/// is not blank decides (`||`, then a tab, then a header with `mr` and `ref`). The file is read once: a pipe will do.
/// @throws FileError as the reader of the format does, or when no format fits
[[nodiscard]] inline std::vector<Example> read_examples(std::filesystem::path const& path) {
  std::string const extension = path.extension().string(), file = path.string(), text = read_text_file(path);
  if (extension == ".csv" || extension == ".CSV") return detail::e2e_examples(text, file);
  if (extension == ".tsv" || extension == ".TSV") return detail::tsv_examples(text, file);
  std::string_view first;
  for (TextLine const& line : split_lines(text))
    if (first.empty()) first = trim(line.text);
  if (first.empty())
    fail<FileError>("[", file, "] no examples; got an empty file; expected E2E CSV, source||text or source<TAB>target");
  if (first.find("||") != std::string_view::npos) return detail::source_text_examples(text, file);
  if (first.find('\t') != std::string_view::npos) return detail::tsv_examples(text, file);
  if (first.find("mr") != std::string_view::npos && first.find("ref") != std::string_view::npos)
    return detail::e2e_examples(text, file);
  fail<FileError>("[", file, "] unknown format; got a first line '", first.substr(0, 60),
                  "'; expected E2E CSV, source||text or source<TAB>target");
}

}  // namespace graft
