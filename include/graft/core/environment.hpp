/// @file
/// @brief Numbers out of environment variables: a value that is not understood is said, never dropped.
#pragma once

#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <graft/core/warning.hpp>

namespace graft::detail {

/// A text of the environment as a message may show it: no control character, no more than 40 bytes.
[[nodiscard]] inline std::string shown(std::string_view text) {
  std::string out = "\"";
  for (char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 40 ? "…\"" : "\"");
}

/// The integer in [least, most] that the variable `name` holds; nothing where it is not set. Another value is said in a
/// warning that ends with `otherwise` ("using 4, one a processor"), and counts as not set.
[[nodiscard]] inline std::optional<int> environment_number(char const* name, int least, int most,
                                                           std::string const& otherwise) {
  char const* const text = std::getenv(name);
  if (!text) return std::nullopt;
  std::string_view const all(text);
  int value = 0;
  auto const [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  if (error == std::errc() && end == all.data() + all.size() && value >= least && value <= most) return value;
  warn("[", name, "] is not understood; got ", shown(all), "; expected a number from ", least, " to ", most, "; ",
       otherwise);
  return std::nullopt;
}

}  // namespace graft::detail
