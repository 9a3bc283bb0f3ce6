/// @file
/// @brief UTF-8 taken apart and put together, with the Unicode standard's replacement of ill-formed bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace graft {

/// What stands in a text where bytes are not UTF-8.
inline constexpr char32_t replacement_character = 0xFFFD;

/// How well-formed the bytes at a position are.
enum class Utf8State : std::uint8_t {
  valid,
  invalid,   ///< no continuation could make these bytes a character
  truncated  ///< the text ends inside the character
};

/// One character of a UTF-8 text.
struct Utf8Char {
  char32_t code;       ///< the code point, or U+FFFD
  std::uint8_t bytes;  ///< how many bytes it takes; for ill-formed bytes the longest well-formed beginning, at least 1
  Utf8State state;
};

namespace detail {

/// Length and range of the second byte that a leading byte demands (Unicode 15, table 3-7); length 0 if it cannot lead.
struct Utf8Lead {
  std::uint8_t length, second_min, second_max;
};

[[nodiscard]] constexpr Utf8Lead utf8_lead(unsigned lead) noexcept {
  if (lead < 0xC2 || lead > 0xF4) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead < 0xF0)
    return {3, static_cast<std::uint8_t>(lead == 0xE0 ? 0xA0 : 0x80),
            static_cast<std::uint8_t>(lead == 0xED ? 0x9F : 0xBF)};
  return {4, static_cast<std::uint8_t>(lead == 0xF0 ? 0x90 : 0x80),
          static_cast<std::uint8_t>(lead == 0xF4 ? 0x8F : 0xBF)};
}

}  // namespace detail

/// The character at byte `position` (which must be inside `text`). Ill-formed bytes give U+FFFD for each maximal
/// subpart, the Unicode standard's recommendation (section 3.9), which Python's `errors="replace"` and Rust's
/// `from_utf8_lossy` follow.
[[nodiscard]] inline Utf8Char utf8_at(std::string_view text, std::size_t position) noexcept {
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[position + i]); };
  unsigned const lead = byte(0);
  if (lead < 0x80) return {lead, 1, Utf8State::valid};
  detail::Utf8Lead const form = detail::utf8_lead(lead);
  if (form.length == 0) return {replacement_character, 1, Utf8State::invalid};
  char32_t code = lead & (0x7Fu >> form.length);
  for (std::uint8_t i = 1; i < form.length; ++i) {
    if (position + i >= text.size()) return {replacement_character, i, Utf8State::truncated};
    unsigned const next = byte(i);
    unsigned const low = i == 1 ? form.second_min : 0x80u;
    unsigned const high = i == 1 ? form.second_max : 0xBFu;
    if (next < low || next > high) return {replacement_character, i, Utf8State::invalid};
    code = (code << 6) | (next & 0x3Fu);
  }
  return {code, form.length, Utf8State::valid};
}

namespace detail {

/// The character that ends at byte `end` > 0 of a well-formed text.
[[nodiscard]] inline Utf8Char utf8_before(std::string_view text, std::size_t end) noexcept {
  std::size_t begin = end - 1;
  while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
  return utf8_at(text, begin);
}

}  // namespace detail

/// Appends a code point (below U+110000) as UTF-8.
inline void append_utf8(std::string& out, char32_t code) {
  auto const put = [&](char32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6)), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12)), put(0x80 | ((code >> 6) & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18)), put(0x80 | ((code >> 12) & 0x3F)), put(0x80 | ((code >> 6) & 0x3F)),
        put(0x80 | (code & 0x3F));
  }
}

/// Whether all of `text` is ASCII.
[[nodiscard]] inline bool is_ascii(std::string_view text) noexcept {
  unsigned char all = 0;
  for (char const c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
  return all < 0x80;
}

/// How many characters a well-formed text has.
[[nodiscard]] inline std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (char const c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

/// The length of the longest beginning of `text` that is well-formed UTF-8.
[[nodiscard]] inline std::size_t valid_utf8_prefix(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= 8) {  // most text is ASCII: eight bytes at once
      std::uint64_t chunk;
      std::memcpy(&chunk, text.data() + at, 8);
      if ((chunk & 0x8080808080808080u) == 0) {
        at += 8;
        continue;
      }
    }
    Utf8Char const c = utf8_at(text, at);
    if (c.state != Utf8State::valid) break;
    at += c.bytes;
  }
  return at;
}

/// `text` with every ill-formed part replaced by U+FFFD.
[[nodiscard]] inline std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t const good = valid_utf8_prefix(text);
    out.append(text.substr(0, good));
    text.remove_prefix(good);
    if (text.empty()) break;
    append_utf8(out, replacement_character);
    text.remove_prefix(utf8_at(text, 0).bytes);
  }
  return out;
}

}  // namespace graft
