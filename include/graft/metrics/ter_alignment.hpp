/// @file
/// @brief The edit distance of TER, with the beam and the ties of tercom.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/metrics/ngrams.hpp>
#include <vector>

namespace graft::detail {

/// What a step of an alignment does with the hypothesis's and the reference's next word.
enum class Edit : char { none = 0, keep = ' ', substitute = 'S', insert = 'I', remove = 'D' };

/// Edits that turn a reference into a hypothesis, first to last.
struct TerAlignment {
  std::vector<Edit> edits;
  std::int64_t cost = 0;
};

/// The table of an edit distance: for i words of the reference and j of the hypothesis, the least cost and its last
/// edit.
class TerTable {
 public:
  TerTable(std::size_t reference, std::size_t hypothesis)
      : width_(hypothesis + 1), costs_((reference + 1) * width_, -1), edits_((reference + 1) * width_, Edit::none) {}
  [[nodiscard]] std::int64_t cost(std::size_t i, std::size_t j) const { return costs_[i * width_ + j]; }
  [[nodiscard]] Edit edit(std::size_t i, std::size_t j) const { return edits_[i * width_ + j]; }
  /// True where `cost` is better than what was known.
  bool improve(std::size_t i, std::size_t j, std::int64_t cost, Edit edit) {
    std::int64_t& known = costs_[i * width_ + j];
    if (known >= 0 && known <= cost) return false;
    known = cost;
    edits_[i * width_ + j] = edit;
    return true;
  }

 private:
  std::size_t width_;
  std::vector<std::int64_t> costs_;  // −1: not reached
  std::vector<Edit> edits_;
};

/// Fills the table, one word of the hypothesis after the other. A state is left out whose cost is more than `beam`
/// above the best keep or substitution of the word before.
inline void fill_ter_table(TerTable& table, std::vector<WordId> const& hypothesis, std::vector<WordId> const& reference,
                           std::int64_t beam) {
  constexpr std::int64_t infinite = 999999;
  auto const rows = static_cast<std::ptrdiff_t>(reference.size());
  std::int64_t best = infinite;
  std::ptrdiff_t first = 0, last = 0;  // rows that the word before reached
  table.improve(0, 0, 0, Edit::none);
  for (std::size_t j = 0; j <= hypothesis.size(); ++j) {
    std::int64_t const best_before = best;
    std::ptrdiff_t const begin = first;
    std::ptrdiff_t end = last;
    best = infinite;
    first = last = -1;
    bool const more = j < hypothesis.size();
    for (std::ptrdiff_t row = std::max<std::ptrdiff_t>(begin, 0); row <= std::min(rows, end); ++row) {
      auto const i = static_cast<std::size_t>(row);
      std::int64_t const cost = table.cost(i, j);
      if (cost < 0 || (more && cost > best_before + beam)) continue;
      if (first == -1) first = row;
      if (row < rows && more) {
        bool const same = reference[i] == hypothesis[j];
        std::int64_t const next = cost + (same ? 0 : 1);
        bool const better = table.improve(i + 1, j + 1, next, same ? Edit::keep : Edit::substitute);
        if (same || better) best = std::min(best, next);
      }
      last = row + 1;
      if (more) table.improve(i, j + 1, cost + 1, Edit::insert);
      if (row < rows && table.improve(i + 1, j, cost + 1, Edit::remove) && row >= end) end = row + 1;
    }
  }
}

/// The alignment of least cost within the beam.
inline TerAlignment align_for_ter(std::vector<WordId> const& hypothesis, std::vector<WordId> const& reference,
                                  std::int64_t beam) {
  TerTable table(reference.size(), hypothesis.size());
  fill_ter_table(table, hypothesis, reference, beam);
  std::size_t i = reference.size(), j = hypothesis.size();
  TerAlignment alignment{{}, table.cost(i, j)};
  while (i > 0 || j > 0) {
    Edit const edit = table.edit(i, j);
    if (edit == Edit::none)
      fail<ConfigError>("[ter] the beam lost every alignment; got a hypothesis of ", hypothesis.size(),
                        " words and a reference of ", reference.size(), "; expected a wider beam (TerOptions::beam)");
    alignment.edits.push_back(edit);
    if (edit != Edit::insert) --i;
    if (edit != Edit::remove) --j;
  }
  std::reverse(alignment.edits.begin(), alignment.edits.end());
  return alignment;
}

}  // namespace graft::detail
