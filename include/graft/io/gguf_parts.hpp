/// @file
/// @brief The names of a GGUF model's files, `NAME-00001-of-0000N.gguf` where there are several (llama.cpp's
/// gguf-split).
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

namespace detail {

/// "-00002-of-00005.gguf"
[[nodiscard]] inline std::string gguf_part_ending(std::int64_t number, std::int64_t count) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05lld-of-%05lld.gguf", static_cast<long long>(number),
                static_cast<long long>(count));
  return text;
}

}  // namespace detail

/// The files of a model whose first part has this name, in order; the path alone where it is named otherwise. No file
/// is looked at.
[[nodiscard]] inline std::vector<std::string> gguf_parts(std::string const& path) {
  static constexpr std::string_view middle = "-00001-of-";
  auto const at = path.rfind(middle);
  int count = 0;
  if (at != std::string::npos) std::from_chars(path.data() + at + middle.size(), path.data() + path.size(), count);
  if (count < 2 || count > 99999 || !path.ends_with(detail::gguf_part_ending(1, count))) return {path};
  std::vector<std::string> parts;
  for (int number = 1; number <= count; ++number)
    parts.push_back(path.substr(0, at) + detail::gguf_part_ending(number, count));
  return parts;
}

}  // namespace graft
