// SentencePiece models small enough to read, written byte by byte as protocol buffers are.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace small {

inline std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7)
    out.push_back(static_cast<char>(static_cast<unsigned char>(0x80 | (value & 0x7F))));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string number_field(unsigned field, std::uint64_t value) { return varint(field << 3) + varint(value); }
inline std::string bytes_field(unsigned field, std::string const& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}
inline std::string fixed(std::uint32_t bits) {
  std::string out;
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> (8 * i))));
  return out;
}
inline std::string float_field(unsigned field, float value) {
  return varint(field << 3 | 5) + fixed(std::bit_cast<std::uint32_t>(value));
}

struct Piece {
  std::string text;
  float score = 0;
  unsigned type = 1;  ///< 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
};

inline std::string piece_field(Piece const& piece) {
  return bytes_field(1, bytes_field(1, piece.text) + float_field(2, piece.score) +
                            (piece.type == 1 ? "" : number_field(3, piece.type)));
}

struct Model {
  std::vector<Piece> pieces;
  unsigned type = 1;  ///< 1 unigram, 2 BPE
  bool byte_fallback = false;
  bool dummy_prefix = true, remove_extra_whitespaces = true;
  std::string chars_map = "";

  [[nodiscard]] std::string bytes() const {
    std::string out;
    for (Piece const& piece : pieces) out += piece_field(piece);
    out += bytes_field(2, number_field(3, type) + number_field(35, byte_fallback ? 1 : 0));
    return out + bytes_field(3, bytes_field(1, "small") + (chars_map.empty() ? "" : bytes_field(2, chars_map)) +
                                    number_field(3, dummy_prefix ? 1 : 0) +
                                    number_field(4, remove_extra_whitespaces ? 1 : 0));
  }
};

/// Pieces of "the fox", its letters, `<unk>`, `<s>`, `</s>`, `<pad>` with T5's ids.
inline Model unigram() {
  return {{{"<pad>", 0, 3},
           {"</s>", 0, 3},
           {"<unk>", 0, 2},
           {"▁the", -2.5F},
           {"▁", -3},
           {"the", -3.5F},
           {"fox", -4},
           {"▁fox", -3.25F},
           {"t", -6},
           {"h", -6},
           {"e", -5},
           {"f", -7},
           {"o", -6},
           {"x", -8}}};
}

/// The same text by merges, LLaMA's ids.
inline Model bpe() {
  Model model{{{"<unk>", 0, 2},
               {"<s>", 0, 3},
               {"</s>", 0, 3},
               {"th", -1},
               {"▁f", -2},
               {"the", -3},
               {"▁the", -4},
               {"ox", -5},
               {"▁fox", -6},
               {"▁", -7},
               {"t", -8},
               {"h", -9},
               {"e", -10},
               {"f", -11},
               {"o", -12},
               {"x", -13}}};
  model.type = 2;
  return model;
}

/// All 256 byte pieces, behind those of `model`.
inline Model with_bytes(Model model) {
  constexpr char const* digits = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; ++byte)
    model.pieces.push_back({std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">", 0, 6});
  model.byte_fallback = true;
  return model;
}

/// A `precompiled_charsmap` with single-byte rules: a double-array trie by hand. The root's children lie at their byte
/// XOR 1, their values behind them.
inline std::string chars_map(std::vector<std::pair<char, std::string>> const& rules) {
  std::vector<std::uint32_t> units(512, 0);
  units[0] = 256u << 10;  // children from unit 256 on
  std::string replacements(1, '\0');
  std::uint32_t free = 1;
  for (auto const& [byte, replacement] : rules) {
    auto const label = static_cast<std::uint32_t>(static_cast<unsigned char>(byte));
    std::uint32_t const node = 256u ^ label;
    units[node] = ((node ^ free) << 10) | 0x100u | label;
    units[free++] = 0x80000000u | static_cast<std::uint32_t>(replacements.size());
    replacements += replacement + '\0';
  }
  std::string out = fixed(static_cast<std::uint32_t>(units.size() * 4));
  for (std::uint32_t const unit : units) out += fixed(unit);
  return out + replacements;
}

}  // namespace small
