/// @file
/// @brief Which tokens of every row a layer computes: all of them, or in the last layer those that hold the targets.
#pragma once

#include <numeric>
#include <vector>

#include <graft/nn/rows.hpp>
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

/// A contiguous range of queries in every row: all tokens, or, in the last layer, those from the first to the last
/// target.
struct QueryRange {
  std::vector<Index> first, length;  ///< `[rows]`, in-row
  bool all = true;                   ///< every token of every row

  void reserve(Index rows) {
    first.reserve(static_cast<std::size_t>(rows));
    length.reserve(static_cast<std::size_t>(rows));
  }

  /// Packed indices of the queries.
  [[nodiscard]] std::vector<Index> packed(Rows const& rows) const {
    std::vector<Index> indices;
    indices.reserve(static_cast<std::size_t>(std::accumulate(length.begin(), length.end(), Index{0})));
    for (Index r = 0; r < rows.count(); ++r)
      for (Index i = 0; i < length[static_cast<std::size_t>(r)]; ++i)
        indices.push_back(rows.begin(r) + first[static_cast<std::size_t>(r)] + i);
    return indices;
  }
};

/// Queries, and what kernels are told of them.
template <class Device>
struct Queries {
  QueryRange range;
  MirroredArray<Index, Device> places;     ///< `[queries]`: `range.packed`; none for all
  MirroredArray<Index, Device> positions;  ///< `[queries]` of rotary models
};

[[nodiscard]] inline QueryRange all_queries(Rows const& rows) {
  QueryRange range;
  range.reserve(rows.count());
  for (Index r = 0; r < rows.count(); ++r) {
    range.first.push_back(0);
    range.length.push_back(rows.length(r));
  }
  return range;
}

/// The smallest range of every row that holds its targets.
[[nodiscard]] inline QueryRange target_queries(Rows const& rows) {
  QueryRange range;
  range.all = false;
  range.reserve(rows.count());
  auto at = rows.targets.at.begin();
  for (Index r = 0; r < rows.count(); ++r) {
    Index const end = rows.begin(r) + rows.length(r);
    Index first = 0, length = 0;
    for (; at != rows.targets.at.end() && *at < end; ++at) {
      if (length == 0) first = *at - rows.begin(r);
      length = *at - rows.begin(r) - first + 1;
    }
    range.first.push_back(first);
    range.length.push_back(length);
  }
  return range;
}

/// The rows as activations restricted to a range of queries see them; targets point into the restricted rows.
[[nodiscard]] inline Rows restrict_rows(Rows const& rows, QueryRange const& range) {
  Rows out = with_other_tokens(rows);
  std::size_t target = 0;
  for (Index r = 0; r < rows.count(); ++r) {
    Index const first = rows.begin(r) + range.first[static_cast<std::size_t>(r)],
                length = range.length[static_cast<std::size_t>(r)];
    for (Index i = 0; i < length; ++i) out.positions.push_back(rows.positions[static_cast<std::size_t>(first + i)]);
    for (; target < out.targets.at.size() && out.targets.at[target] < first + length; ++target)
      out.targets.at[target] += out.offsets.back() - first;
    out.offsets.push_back(out.offsets.back() + length);
  }
  return out;
}

/// The targets' states as rows of their own, of one token each: those of a classifier's head.
[[nodiscard]] inline Rows rows_of_targets(Rows const& rows) {
  Rows out;
  out.step = rows.step;
  out.training = rows.training;
  Index row = 0;
  for (Index at : rows.targets.at) {
    while (at >= rows.begin(row) + rows.length(row)) ++row;
    if (!rows.examples.empty()) out.examples.push_back(rows.examples[static_cast<std::size_t>(row)]);
    out.adapter.push_back(rows.adapter_of(row));
    out.offsets.push_back(out.tokens() + 1);
  }
  return out;
}

}  // namespace graft
