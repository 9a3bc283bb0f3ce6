/// @file
/// @brief Lines of a source and a target: `source||text`, and `source<TAB>target`.
#pragma once

#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/data/example.hpp>
#include <graft/data/text_file.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace graft::detail {

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

}  // namespace graft::detail
