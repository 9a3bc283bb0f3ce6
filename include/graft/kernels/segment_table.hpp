/// @file
/// @brief What every query may see: a row's keys and values as a list of segments of stored rows.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// A run of stored keys and values that a row's queries attend to: its own tokens, a prefix or infix bank, a cache, an encoder's states.
/// Queries see a prefix of a segment that never shrinks from one query to the next.
struct Segment {
  int source = 0;         ///< which of the operation's sources holds it
  Index begin = 0;        ///< its first row in the source
  Index length = 0;       ///< its number of keys
  Index first_query = 0;  ///< index in the row of the first query that sees it
  bool causal = false;    ///< whether query i sees key j only where j <= i + offset
  Index offset = 0;       ///< for causal: index of the segment's key that lines up with the row's query 0
  Index position = 0;     ///< position of its first key, for the relative bias

  /// How many of its keys, counted from the first, the query with this index in its row sees.
  [[nodiscard]] Index visible(Index query) const {
    if (query < first_query) return 0;
    return causal ? std::clamp<Index>(query + offset + 1, 0, length) : length;
  }
};

/// The rows of packed queries and the segments that each row attends to. Several rows may name the same storage.
struct SegmentTable {
  std::vector<Index> query_offsets{0};    ///< [rows + 1] row r holds the queries [query_offsets[r], query_offsets[r + 1])
  std::vector<Index> segment_offsets{0};  ///< [rows + 1] row r attends to segments [segment_offsets[r], segment_offsets[r + 1])
  std::vector<Segment> segments;
  /// [queries] each query's index in its row, ascending within it; empty: 0, 1, 2 … Set it where a layer computes some queries only.
  std::vector<Index> query_indices;
  std::vector<Index> query_positions;  ///< [queries] positions for the relative bias; empty: the indices

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
  /// Index in its row of the i-th query of row `row`.
  [[nodiscard]] Index query_index(Index row, Index i) const {
    return query_indices.empty() ? i : query_indices[static_cast<std::size_t>(first_query(row) + i)];
  }
  /// Position of the i-th query of row `row`.
  [[nodiscard]] Index query_position(Index row, Index i) const {
    return query_positions.empty() ? query_index(row, i) : query_positions[static_cast<std::size_t>(first_query(row) + i)];
  }
};

/// Heads of the attention operation. `heads` is a multiple of `kv_heads`: the query heads of a group share keys and values
/// (Ainslie et al. 2023).
struct AttentionShape {
  Index heads = 1, kv_heads = 1, head_dim = 1;
  double scale = 1.0;  ///< factor of the scores, usually 1/√head_dim (T5: 1)

  [[nodiscard]] Index group() const { return heads / kv_heads; }
  [[nodiscard]] Index width() const { return heads * head_dim; }
  [[nodiscard]] Index kv_width() const { return kv_heads * head_dim; }
};

/// The least and greatest key position − query position of a row.
struct DistanceRange {
  Index low = 0, high = -1;
  [[nodiscard]] Index size() const { return high - low + 1; }
};

/// Distances between all queries and all keys of row `row`, visible or not; empty where the row has no queries or no keys.
[[nodiscard]] inline DistanceRange distances(SegmentTable const& table, Index row) {
  Index const queries = table.first_query(row + 1) - table.first_query(row);
  DistanceRange range;
  for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s) {
    Segment const& segment = table.segment(s);
    for (Index i = 0; i < queries && segment.length > 0; ++i) {
      Index const low = segment.position - table.query_position(row, i), high = low + segment.length - 1;
      range = range.size() == 0 ? DistanceRange{low, high} : DistanceRange{std::min(range.low, low), std::max(range.high, high)};
    }
  }
  return range;
}

namespace detail {
inline void check_offsets(char const* name, std::vector<Index> const& offsets, std::size_t count, Index end) {
  if (offsets.size() != count || offsets.front() != 0 || offsets.back() != end || !std::is_sorted(offsets.begin(), offsets.end()))
    fail<ShapeError>("[attention] ", name, " do not fit; got ", offsets.size(), " offsets up to ", offsets.empty() ? 0 : offsets.back(),
                     "; expected ", count, " ascending ones from 0 to ", end);
}

inline void check_segment(Segment const& segment, Index row, Index const* source_rows, int sources) {
  if (segment.source < 0 || segment.source >= sources)
    fail<ShapeError>("[attention] row ", row, ": got source ", segment.source, "; expected one of the ", sources, " sources");
  Index const available = source_rows[segment.source];
  if (segment.begin < 0 || segment.length < 0 || segment.begin > available - segment.length)
    fail<ShapeError>("[attention] row ", row, ": got a segment of ", segment.length, " keys at ", segment.begin,
                     "; expected it within the ", available, " rows of source ", segment.source);
}
}  // namespace detail

/// Throws `ShapeError` unless the table is for `queries` packed queries, its segments lie within sources of these many rows, and every
/// query sees a key.
inline void check(SegmentTable const& table, Index queries, Index const* source_rows, int sources) {
  if (table.query_offsets.empty()) fail<ShapeError>("[attention] got no query offsets; expected one more than rows");
  detail::check_offsets("query_offsets", table.query_offsets, table.query_offsets.size(), queries);
  detail::check_offsets("segment_offsets", table.segment_offsets, table.query_offsets.size(), static_cast<Index>(table.segments.size()));
  for (auto const* list : {&table.query_indices, &table.query_positions})
    if (!list->empty() && static_cast<Index>(list->size()) != queries)
      fail<ShapeError>("[attention] got ", list->size(), " query indices or positions; expected none or ", queries);
  for (Index row = 0; row < table.rows(); ++row) {
    Index const count = table.first_query(row + 1) - table.first_query(row);
    for (Index i = 1; i < count; ++i)
      if (table.query_index(row, i) < table.query_index(row, i - 1))
        fail<ShapeError>("[attention] row ", row, ": got query index ", table.query_index(row, i), " after ", table.query_index(row, i - 1),
                         "; expected ascending ones");
    Index seen = 0;
    for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s) {
      detail::check_segment(table.segment(s), row, source_rows, sources);
      if (count > 0) seen += table.segment(s).visible(table.query_index(row, 0));  // later queries see at least as much
    }
    if (count > 0 && seen == 0)
      fail<ShapeError>("[attention] row ", row, ": got a query (index ", table.query_index(row, 0),
                       ") that sees no key; expected at least one; hint: is a prompt or source empty?");
  }
}

}  // namespace graft
