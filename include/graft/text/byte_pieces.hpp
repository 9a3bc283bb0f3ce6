/// @file
/// @brief Byte fallback: the tokens `<0x00>` … `<0xFF>`, which spell what a vocabulary has no characters for.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/vocabulary.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace graft {

/// The token of a byte: `<0x0A>`.
[[nodiscard]] inline std::string spell_byte_piece(unsigned char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15u], '>'};
}

/// The byte of such a token; nothing for any other text.
[[nodiscard]] inline std::optional<unsigned char> byte_of_piece(std::string_view token) noexcept {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return std::nullopt;
  unsigned byte = 0;
  for (char const c : token.substr(3, 2)) {
    bool const digit = c >= '0' && c <= '9', upper = c >= 'A' && c <= 'F', lower = c >= 'a' && c <= 'f';
    if (!digit && !upper && !lower) return std::nullopt;
    byte = byte * 16 + static_cast<unsigned>(c - (digit ? '0' : upper ? 'A' - 10 : 'a' - 10));
  }
  return static_cast<unsigned char>(byte);
}

/// The byte tokens of a vocabulary.
class BytePieces {
 public:
  static constexpr Token missing = -1;

  BytePieces() { ids_.fill(missing); }
  explicit BytePieces(Vocabulary const& vocabulary) {
    for (std::size_t byte = 0; byte < 256; ++byte)
      ids_[byte] = vocabulary.find(spell_byte_piece(static_cast<unsigned char>(byte))).value_or(missing);
  }

  /// The token of a byte, or `missing`.
  [[nodiscard]] Token operator[](char byte) const noexcept { return ids_[static_cast<unsigned char>(byte)]; }

  /// Whether every byte of `text` has a token.
  [[nodiscard]] bool can_spell(std::string_view text) const noexcept {
    for (char const byte : text)
      if ((*this)[byte] == missing) return false;
    return true;
  }

 private:
  std::array<Token, 256> ids_{};
};

}  // namespace graft
