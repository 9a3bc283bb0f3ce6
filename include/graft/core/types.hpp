/// @file
/// @brief The integers that everything counts with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace graft {

using Index = std::ptrdiff_t;  ///< sizes, offsets and positions
using Token = std::int32_t;    ///< id of a vocabulary entry

}  // namespace graft
