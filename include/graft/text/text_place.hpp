/// @file
/// @brief Where in a whole text a piece of it stands.
#pragma once

#include <cstdint>

namespace graft {

/// Where a piece of a text stands, for the steps that put a space before a text.
enum class TextPlace : std::uint8_t {
  inside,    ///< something of the same text comes before: a word, or an added token
  begins,    ///< the text begins here
  continues  ///< a text encoded before goes on here: no step puts a space of its own
};

}  // namespace graft
