/// @file
/// @brief A batch in two: what its rows hold before their insertion, and the rest. The insertion of an example that was
/// packed is before the last token of its source.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include <graft/nn/rows.hpp>

namespace graft {

/// Rows of a decoder, divided. A row that has no tokens on one side has no row there.
///
///     one row a b c d e, insertion 3:   before: a b c     after: d e, which goes on from a b c
struct DividedBatch {
  Batch before;  ///< without targets; no insertion lies in its rows
  Batch after;   ///< insertions are those of the undivided rows: they count from the row's first ancestor's first token
  /// `[rows of after]`: the rows of `before` that hold what comes before each, in order. Empty for a row whose parent
  /// is in `after`: what comes before the parent comes before it, too
  std::vector<std::vector<Index>> past;

  /// Tokens that come before row `r` of `after`, and that no parent of it holds.
  [[nodiscard]] Index earlier(Index r) const {
    Index count = 0;
    for (Index const b : past[static_cast<std::size_t>(r)]) count += before.rows.length(b);
    return count;
  }
};

namespace detail {

/// Adds a row with tokens [begin, end) of a batch, a part of its row `r`.
/// @param parent the new row's, in `to`; −1 for none
/// @param insertion the new row's
inline void append_part(Batch& to, Batch const& from, Index r, Index begin, Index end, Index parent, Index insertion) {
  auto const row = static_cast<std::size_t>(r);
  auto const part = [&](auto& all, auto const& of) {
    if (!of.empty()) all.insert(all.end(), of.begin() + begin, of.begin() + end);
  };
  part(to.tokens, from.tokens);
  part(to.rows.positions, from.rows.positions);
  part(to.rows.token_types, from.rows.token_types);
  to.rows.insertion.push_back(insertion);
  if (!from.rows.examples.empty()) to.rows.examples.push_back(from.rows.examples[row]);
  append_entry(to.rows.adapter, from.rows.adapter_of(r), 0, to.rows.count());
  append_entry(to.rows.parent, parent, -1, to.rows.count());
  to.rows.offsets.push_back(to.rows.tokens() + end - begin);
}

}  // namespace detail

/// Divides the rows of a decoder's batch. Returns nothing if a target stands before its row's insertion, or if no row
/// has tokens before it.
[[nodiscard]] inline std::optional<DividedBatch> divide_at_insertion(Batch const& batch) {
  Rows const& rows = batch.rows;
  DividedBatch result;
  Batch &before = result.before, &after = result.after;
  // [rows]: the nearest row of each side that holds tokens of the row or of its ancestors, −1 for none; and where the
  // row ends, counted from its first ancestor's first token
  std::vector<Index> before_of, after_of, end_of;
  auto const of_parent = [&](std::vector<Index> const& of, Index r, Index none) {
    Index const parent = rows.parent_of(r);
    return parent < 0 ? none : of[static_cast<std::size_t>(parent)];
  };
  std::size_t target = 0;
  for (Index r = 0; r < rows.count(); ++r) {
    Index const first = of_parent(end_of, r, 0), begin = rows.begin(r), end = begin + rows.length(r),
                insertion = rows.insertion[static_cast<std::size_t>(r)],
                middle = begin + std::clamp<Index>(insertion - first, 0, rows.length(r));
    end_of.push_back(first + rows.length(r));
    before_of.push_back(of_parent(before_of, r, -1));
    after_of.push_back(of_parent(after_of, r, -1));
    if (middle > begin) {
      Index const row = before.rows.count();  // its insertion is beyond its end, where virtual tokens might join it
      detail::append_part(before, batch, r, begin, middle, std::exchange(before_of.back(), row), insertion + 1);
    }
    auto const& at = rows.targets.at;
    for (; target < at.size() && at[target] < end; ++target) {
      if (at[target] < middle) return std::nullopt;
      after.rows.targets.at.push_back(after.rows.tokens() + at[target] - middle);
    }
    if (middle == end) continue;
    std::vector<Index> past;
    if (after_of.back() < 0)
      for (Index b = before_of.back(); b >= 0; b = before.rows.parent_of(b)) past.push_back(b);
    std::reverse(past.begin(), past.end());
    result.past.push_back(std::move(past));
    Index const row = after.rows.count();
    detail::append_part(after, batch, r, middle, end, std::exchange(after_of.back(), row), insertion);
  }
  if (before.rows.tokens() == 0) return std::nullopt;
  join_step(before.rows, rows);
  join_step(after.rows, rows);
  after.rows.targets.labels = rows.targets.labels;
  after.rows.targets.weights = rows.targets.weights;
  return result;
}

}  // namespace graft
