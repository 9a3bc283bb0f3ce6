/// @file
/// @brief Levenshtein's distance, for character error rates.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

namespace support {

/// The fewest insertions, deletions and replacements that turn one sequence into the other.
template <class T>
[[nodiscard]] std::size_t edit_distance(std::vector<T> const& a, std::vector<T> const& b) {
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

}  // namespace support
