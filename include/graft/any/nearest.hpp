/// @file
/// @brief The names that somebody may have meant.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace graft::any {

/// The fewest letters put in, left out and replaced that turn one name into the other.
[[nodiscard]] inline std::size_t letters_apart(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// The end of a message about an unknown name: `; hint: did you mean rank?`, with the nearest of the names that there
/// are; empty where none is near.
[[nodiscard]] inline std::string nearest_hint(std::string_view name, std::vector<std::string> const& names) {
  std::string_view const shown = name.substr(0, 64);
  std::string const* nearest = nullptr;
  std::size_t least = 1 + std::max<std::size_t>(2, shown.size() / 3);
  for (auto const& one : names) {
    std::string_view const last = std::string_view(one).substr(one.rfind('.') + 1);  // a part's setting, without it
    bool const inside = !shown.empty() && (last == shown || one.starts_with(shown) || one.ends_with(shown));
    std::size_t const apart = inside ? 0 : std::min(letters_apart(shown, one), letters_apart(shown, last));
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
