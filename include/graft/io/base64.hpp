/// @file
/// @brief Base64, in which JSON files carry bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace graft {

/// The bytes that `text` spells (RFC 4648, with padding); nothing if it is not base64.
[[nodiscard]] inline std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && text.ends_with('=')) text.remove_suffix(1), ++padding;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char const c : text) {
    std::uint32_t const value = c >= 'A' && c <= 'Z'   ? static_cast<std::uint32_t>(c - 'A')
                                : c >= 'a' && c <= 'z' ? static_cast<std::uint32_t>(c - 'a' + 26)
                                : c >= '0' && c <= '9' ? static_cast<std::uint32_t>(c - '0' + 52)
                                : c == '+'             ? 62u
                                : c == '/'             ? 63u
                                                       : 64u;
    if (value == 64) return std::nullopt;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> held)));
    bits &= (1u << held) - 1;
  }
  return bits == 0 ? std::optional<std::string>(std::move(out)) : std::nullopt;  // what is left over must be padding
}

}  // namespace graft
