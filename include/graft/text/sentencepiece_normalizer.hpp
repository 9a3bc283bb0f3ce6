/// @file
/// @brief What SentencePiece does to a text before it is divided.
#pragma once

#include <graft/core/types.hpp>
#include <graft/text/chars_map.hpp>
#include <graft/text/metaspace.hpp>
#include <graft/text/piece_trie.hpp>
#include <graft/text/text_place.hpp>
#include <graft/text/utf8.hpp>
#include <graft/text/vocabulary.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace graft {

/// Texts that normalization leaves as they are: the user-defined pieces.
struct KeptTexts {
  Vocabulary texts;
  PieceTrie trie;
};

/// `NormalizerSpec` of a SentencePiece model.
struct SentencePieceNormalizer {
  std::shared_ptr<CharsMap const> chars_map;  ///< null: characters stay as they are
  std::shared_ptr<KeptTexts const> kept;      ///< null: none
  PrefixSpace prefix = PrefixSpace::always;   ///< `add_dummy_prefix`
  bool remove_extra_whitespaces = true;       ///< leading and trailing spaces, and all but one of a run
  bool escape_whitespaces = true;             ///< a space becomes `▁`
  bool whitespace_as_suffix = false;          ///< the dummy space goes behind the text

  /// Where a text continues another, spaces that it begins with become one rather than none if extra ones are removed.
  [[nodiscard]] std::string operator()(std::string_view text, TextPlace place) const {
    std::string out;
    std::size_t const whole = text.size();
    if (remove_extra_whitespaces) {
      while (!text.empty()) {
        auto const [bytes, replacement] = next(text);
        if (replacement != " ") break;
        text.remove_prefix(bytes);
      }
    }
    if (text.empty()) return out;
    out.reserve(text.size() + text.size() / 2 + 8);
    std::string_view const space = escape_whitespaces ? metaspace : std::string_view(" ");
    bool const dummy = prefix == PrefixSpace::always || (prefix == PrefixSpace::first && place != TextPlace::inside);
    bool const before = place == TextPlace::continues ? text.size() < whole : dummy;
    if (before && !whitespace_as_suffix) out.append(space);
    bool after_space = remove_extra_whitespaces;
    while (!text.empty()) {
      auto const [bytes, replacement] = next(text);
      std::string_view shown = replacement;
      while (after_space && shown.starts_with(' ')) shown.remove_prefix(1);
      for (char const c : shown) c == ' ' ? out.append(space) : out.append(1, c);
      if (!shown.empty()) after_space = remove_extra_whitespaces && shown.back() == ' ';
      text.remove_prefix(bytes);
    }
    while (remove_extra_whitespaces && out.ends_with(space)) out.resize(out.size() - space.size());
    if (dummy && whitespace_as_suffix) out.append(space);
    return out;
  }

 private:
  /// How many bytes go next, and what stands for them.
  [[nodiscard]] CharsMap::Match next(std::string_view text) const {
    if (kept != nullptr) {
      if (std::size_t const length = kept->trie.longest_prefix(kept->texts, text).length; length > 0)
        return {length, text.substr(0, length)};
    }
    if (chars_map != nullptr) {
      if (auto const match = chars_map->longest(text)) return *match;
    }
    Utf8Char const c = utf8_at(text, 0);
    return {c.bytes, c.state == Utf8State::valid ? text.substr(0, c.bytes) : std::string_view("\uFFFD")};
  }
};

}  // namespace graft
