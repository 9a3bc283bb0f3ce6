/// @file
/// @brief The character by which SentencePiece writes a space.
#pragma once

#include <cstdint>
#include <string_view>

namespace graft {

/// U+2581, "▁".
inline constexpr std::string_view metaspace = "\u2581";

/// Which parts of a text get a space in front, so that its first word looks like all others.
enum class PrefixSpace : std::uint8_t {
  never,
  first,  ///< the part that the text begins with
  always  ///< every part between added tokens
};

}  // namespace graft
