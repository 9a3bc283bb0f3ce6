/// @file
/// @brief Which graft this is: for `#if`, and for a program's own messages.
#pragma once

#include <string_view>

#define GRAFT_VERSION_MAJOR 0  ///< grows with changes that programs notice
#define GRAFT_VERSION_MINOR 1  ///< grows with what is new; `find_package(graft 0.1)` accepts this one
#define GRAFT_VERSION_PATCH 0  ///< grows with corrections

namespace graft {

/// The version as CMake has it, such as "0.1.0".
inline constexpr std::string_view version = "0.1.0";

}  // namespace graft
