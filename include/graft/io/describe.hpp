/// @file
/// @brief Short, printable forms of what a file claims, for error messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// A name out of an untrusted file in quotes: at most 96 bytes of it, control characters as a backslash, x and two hexadecimal digits.
[[nodiscard]] inline std::string printable(std::string_view text) {
  constexpr std::size_t longest = 96;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (char const c : text.substr(0, longest)) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && c != '"') {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  out += text.size() > longest ? "…\"" : "\"";
  return out;
}

/// "[49152, 576]".
[[nodiscard]] inline std::string shape_text(std::vector<std::int64_t> const& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace graft
