/// @file
/// @brief The names that somebody may have meant.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <graft/metrics/edit_distance.hpp>

namespace graft::any {

/// The end of a message about an unknown name: `; hint: did you mean rank?`, with the nearest of the names that there
/// are; empty where none is near.
[[nodiscard]] inline std::string nearest_hint(std::string_view name, std::vector<std::string> const& names) {
  std::string_view const shown = name.substr(0, 64);
  std::string const* nearest = nullptr;
  std::size_t least = 1 + std::max<std::size_t>(2, shown.size() / 3);
  for (auto const& one : names) {
    std::string_view const last = std::string_view(one).substr(one.rfind('.') + 1);  // a part's setting, without it
    bool const inside = !shown.empty() && (last == shown || one.starts_with(shown) || one.ends_with(shown));
    std::size_t const apart =
        inside ? 0 : std::min(edit_distance(shown, std::string_view(one)), edit_distance(shown, last));
    if (apart < least) least = apart, nearest = &one;
  }
  return nearest ? "; hint: did you mean " + *nearest + "?" : std::string();
}

/// `a, b, c`.
[[nodiscard]] inline std::string joined(std::vector<std::string> const& names) {
  std::string text;
  for (auto const& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace graft::any
