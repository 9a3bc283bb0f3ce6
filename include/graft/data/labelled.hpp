/// @file
/// @brief What a classifier is trained and evaluated on.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace graft {

/// A text, or two, and the class that they belong to.
struct LabelledText {
  std::string text;
  std::optional<std::string> pair;   ///< the second text of a pair
  std::optional<std::string> label;  ///< the class as a known task names it, else as the file does; none where the file
                                     ///< does not say, as the test files of GLUE and SuperGLUE
  std::string domain;
  std::size_t line = 0;  ///< where it stands in its file
  std::string id{};      ///< the file's name for it, where it has one
};

}  // namespace graft
