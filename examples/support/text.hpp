/// @file
/// @brief Small things about texts that several programs do.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <graft/data/text_file.hpp>

namespace support {

/// The first line of a text without the white space around it: an output for a file with one output a line.
inline std::string first_line(std::string_view text) {
  text = graft::trim(text);
  return std::string(graft::trim(text.substr(0, text.find_first_of("\r\n"))));
}

/// A number with `digits` after the point.
inline std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

/// A learning rate as people write it: 0.002, 5e-05.
inline std::string compact(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.3g", value);
  return text;
}

}  // namespace support
