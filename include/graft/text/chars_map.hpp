/// @file
/// @brief SentencePiece's precompiled normalization rules: which characters are replaced, and by what.
#pragma once

#include <graft/core/error.hpp>
#include <graft/text/utf8.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// A `precompiled_charsmap`: the size of a double-array trie (Aoe 1989, in the layout of darts-clone), the trie, and
/// the replacements, each ended by a zero byte. Every index out of the file is checked before it is used.
class CharsMap {
 public:
  /// Replacements are short: a ligature of eighteen letters takes 33 bytes. Longer ones would let a small text grow
  /// without bound.
  static constexpr std::size_t longest_replacement = 256;

  /// @throws FileError for a table that contradicts itself
  CharsMap(std::string_view blob, std::string_view source) {
    auto const refuse = [&](auto const&... what) {
      fail<FileError>("[", source, "] precompiled_charsmap is broken; ", what...);
    };
    if (blob.size() < 4) refuse("got ", blob.size(), " bytes; expected at least 4");
    std::size_t const trie_bytes = unit_at(blob, 0);
    blob.remove_prefix(4);
    if (trie_bytes % 4 != 0 || trie_bytes == 0 || trie_bytes >= blob.size())
      refuse("got a trie of ", trie_bytes, " bytes in ", blob.size(),
             "; expected a multiple of 4, and replacements behind it");
    replacements_ = blob.substr(trie_bytes);
    check_replacements(refuse);
    units_.reserve(trie_bytes / 4);
    for (std::size_t at = 0; at < trie_bytes; at += 4) {
      units_.push_back(unit_at(blob, at));
      if (units_.back() >> 31 != 0) check_value(units_.back() & 0x7FFFFFFFu, refuse);
    }
  }

  /// A rule that applies at the beginning of a text.
  struct Match {
    std::size_t bytes;  ///< how much of the text it replaces
    std::string_view replacement;
  };

  /// The rule that replaces most (SentencePiece's choice), or least (that of Hugging Face's tokenizers).
  [[nodiscard]] std::optional<Match> longest(std::string_view text) const noexcept { return find(text, true); }
  [[nodiscard]] std::optional<Match> shortest(std::string_view text) const noexcept { return find(text, false); }

 private:
  [[nodiscard]] static std::uint32_t unit_at(std::string_view bytes, std::size_t at) noexcept {
    std::uint32_t unit = 0;
    for (std::size_t i = 4; i-- > 0;) unit = (unit << 8) | static_cast<unsigned char>(bytes[at + i]);
    return unit;
  }

  template <class Refuse>
  void check_replacements(Refuse const& refuse) const {
    if (replacements_.back() != '\0') refuse("got a last replacement without its zero byte");
    if (valid_utf8_prefix(replacements_) != replacements_.size()) refuse("got replacements that are not UTF-8");
    for (std::size_t begin = 0; begin < replacements_.size();) {
      std::size_t const end = replacements_.find('\0', begin);
      if (end - begin > longest_replacement)
        refuse("got a replacement of ", end - begin, " bytes; expected at most ", longest_replacement);
      begin = end + 1;
    }
  }

  template <class Refuse>
  void check_value(std::size_t value, Refuse const& refuse) const {
    if (value >= replacements_.size() || (static_cast<unsigned char>(replacements_[value]) & 0xC0) == 0x80)
      refuse("got a replacement at byte ", value, " of ", replacements_.size(),
             "; expected the beginning of a character");
  }

  /// A unit's bits: 0 to 7 and 31 label, 8 whether a value hangs here, 9 and 10 to 30 offset of the children; a value
  /// has bit 31.
  [[nodiscard]] static constexpr std::size_t offset_of(std::uint32_t unit) noexcept {
    return std::size_t{unit >> 10} << ((unit & 0x200u) >> 6);
  }

  [[nodiscard]] std::optional<Match> find(std::string_view text, bool longest) const noexcept {
    std::optional<Match> best;
    std::size_t node = offset_of(units_[0]);
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto const byte = static_cast<unsigned char>(text[i]);
      node ^= byte;
      if (node >= units_.size() || (units_[node] & 0x800000FFu) != byte) break;
      std::uint32_t const unit = units_[node];
      node ^= offset_of(unit);
      if ((unit & 0x100u) == 0) continue;
      if (node >= units_.size() || units_[node] >> 31 == 0) break;
      std::size_t const begin = units_[node] & 0x7FFFFFFFu;
      best = Match{i + 1, std::string_view(replacements_).substr(begin, replacements_.find('\0', begin) - begin)};
      if (!longest) break;
    }
    return best;
  }

  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace graft
