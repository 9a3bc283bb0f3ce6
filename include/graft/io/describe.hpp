/// @file
/// @brief Short, printable forms of what a file claims, for error messages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <graft/text/printable.hpp>

namespace graft {

/// "[49152, 576]".
[[nodiscard]] inline std::string shape_text(std::vector<std::int64_t> const& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return out + "]";
}

}  // namespace graft
