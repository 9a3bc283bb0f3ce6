/// @file
/// @brief What every query may see: a row's keys and values as a list of segments of stored rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// A run of stored keys and values that a row's queries attend to: its own tokens, a prefix or infix bank, a cache, an
/// encoder's states. Queries see a prefix of a segment that never shrinks from one query to the next.
struct Segment {
  int source = 0;         ///< which of the operation's sources holds it
  Index begin = 0;        ///< its first row in the source
  Index length = 0;       ///< its number of keys
  Index first_query = 0;  ///< index in the row of the first query that sees it
  bool causal = false;    ///< whether query i sees key j only where j <= i + offset
  Index offset = 0;       ///< for causal: index of the segment's key that lines up with the row's query 0
  Index position = 0;     ///< position of its first key, for the relative bias

  /// How many of its keys, counted from the first, the query with this index in its row sees.
  [[nodiscard]] GRAFT_HOST_DEVICE Index visible(Index query) const {
    if (query < first_query) return 0;
    Index const seen = causal ? query + offset + 1 : length;
    return seen < 0 ? 0 : seen > length ? length : seen;
  }
  /// Index in the row of the first query that sees this key.
  [[nodiscard]] GRAFT_HOST_DEVICE Index first_seeing(Index key) const {
    Index const query = causal ? key - offset : 0, first = first_query > 0 ? first_query : 0;
    return query > first ? query : first;
  }
};

/// The rows of packed queries and the segments that each row attends to. Several rows may name the same storage.
struct SegmentTable {
  std::vector<Index> query_offsets{0};  ///< [rows + 1] row r holds the queries [query_offsets[r], query_offsets[r + 1])
  std::vector<Index> segment_offsets{
      0};  ///< [rows + 1] row r attends to segments [segment_offsets[r], segment_offsets[r + 1])
  std::vector<Segment> segments;
  std::vector<Index>
      query_positions;  ///< [queries] positions for the relative bias; empty: each query's index in its row

  void reserve(Index rows, Index segments_a_row) {
    query_offsets.reserve(static_cast<std::size_t>(rows) + 1);
    segment_offsets.reserve(static_cast<std::size_t>(rows) + 1);
    segments.reserve(static_cast<std::size_t>(rows * segments_a_row));
  }
  [[nodiscard]] Index rows() const { return static_cast<Index>(query_offsets.size()) - 1; }
  [[nodiscard]] Index queries() const { return query_offsets.back(); }
  [[nodiscard]] Index first_query(Index row) const { return query_offsets[static_cast<std::size_t>(row)]; }
  [[nodiscard]] Index first_segment(Index row) const { return segment_offsets[static_cast<std::size_t>(row)]; }
  [[nodiscard]] Segment const& segment(Index i) const { return segments[static_cast<std::size_t>(i)]; }
  /// Position of the i-th query of row `row`.
  [[nodiscard]] Index query_position(Index row, Index i) const {
    return query_positions.empty() ? i : query_positions[static_cast<std::size_t>(first_query(row) + i)];
  }
};

/// Heads of the attention operation. `heads` is a multiple of `kv_heads`: the query heads of a group share keys and
/// values (Ainslie et al. 2023).
struct AttentionShape {
  Index heads = 1, kv_heads = 1, head_dim = 1;
  double scale = 1.0;  ///< factor of the scores, usually 1/√head_dim (T5: 1)

  [[nodiscard]] GRAFT_HOST_DEVICE Index group() const { return heads / kv_heads; }
  [[nodiscard]] GRAFT_HOST_DEVICE Index width() const { return heads * head_dim; }
  [[nodiscard]] GRAFT_HOST_DEVICE Index kv_width() const { return kv_heads * head_dim; }
};

/// The least and greatest key position − query position of a row.
struct DistanceRange {
  Index low = 0, high = -1;
  [[nodiscard]] Index size() const { return high - low + 1; }
  /// Widens it to what `other` covers too.
  void include(DistanceRange const& other) {
    if (other.size() == 0) return;
    *this = size() == 0 ? other : DistanceRange{std::min(low, other.low), std::max(high, other.high)};
  }
};

/// Distances between all queries and all keys of row `row`, visible or not; empty where the row has no queries or no
/// keys.
[[nodiscard]] inline DistanceRange distances(SegmentTable const& table, Index row) {
  Index const queries = table.first_query(row + 1) - table.first_query(row);
  if (queries == 0) return {};
  Index least = table.query_position(row, 0), greatest = least;
  for (Index i = 1; i < queries; ++i) {
    least = std::min(least, table.query_position(row, i));
    greatest = std::max(greatest, table.query_position(row, i));
  }
  DistanceRange range;
  for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s) {
    Segment const& segment = table.segment(s);
    if (segment.length <= 0) continue;
    range.include({segment.position - greatest, segment.position + segment.length - 1 - least});
  }
  return range;
}

}  // namespace graft
