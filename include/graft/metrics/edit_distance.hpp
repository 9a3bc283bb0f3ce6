/// @file
/// @brief Levenshtein's distance: of characters for error rates, of letters for names that somebody may have meant.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

namespace graft {

/// The fewest insertions, deletions and replacements that turn one sequence into the other.
/// @param a,b with `size()` and `[]`, as a vector or a string view
template <class Sequence>
[[nodiscard]] std::size_t edit_distance(Sequence const& a, Sequence const& b) {
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

}  // namespace graft
