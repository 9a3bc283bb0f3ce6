/// @file
/// @brief The files of words that METEOR needs, read whole or not at all.
#pragma once

#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <string>

namespace graft::detail {

/// The text of a list with a word a line. A list that is cut off would give another score without a word, so the last
/// line must have its end.
/// @throws FileError for a file that is missing, empty or cut off
[[nodiscard]] inline std::string read_word_list(std::filesystem::path const& path) {
  std::string text = read_text_file(path);
  if (trim(text).empty()) fail<FileError>("[", path.string(), "] is empty; expected METEOR's list of words");
  if (text.back() != '\n')
    fail<FileError>("[", path.string(), "] has no line break at its end; expected a list with a word a line; ",
                    "hint: the file is cut off");
  return text;
}

}  // namespace graft::detail
