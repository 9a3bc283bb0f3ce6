/// @file
/// @brief What every query may see: a row's keys and values as a list of segments of stored rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
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
  [[nodiscard]] Index visible(Index query) const {
    if (query < first_query) return 0;
    return causal ? std::clamp<Index>(query + offset + 1, 0, length) : length;
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

  [[nodiscard]] Index group() const { return heads / kv_heads; }
  [[nodiscard]] Index width() const { return heads * head_dim; }
  [[nodiscard]] Index kv_width() const { return kv_heads * head_dim; }
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

/// A segment table that is right in itself. It is checked where it is made, once for all layers that use it; what it
/// needs of their operands is a few numbers, which every attention compares.
class CheckedSegments {
 public:
  /// @throws ShapeError unless offsets ascend and belong to the lists they divide, and every query sees a key
  explicit CheckedSegments(SegmentTable table) : table_(std::move(table)) {
    if (table_.query_offsets.empty()) fail<ShapeError>("[attention] got no query offsets; expected one more than rows");
    std::size_t const offsets = table_.query_offsets.size();
    check_offsets("query_offsets", table_.query_offsets, offsets, table_.queries());
    check_offsets("segment_offsets", table_.segment_offsets, offsets, static_cast<Index>(table_.segments.size()));
    if (auto const& positions = table_.query_positions;
        !positions.empty() && static_cast<Index>(positions.size()) != table_.queries())
      fail<ShapeError>("[attention] got ", positions.size(), " query positions; expected none or ", table_.queries());
    for (Index row = 0; row < table_.rows(); ++row) check_row(row);
  }

  [[nodiscard]] SegmentTable const& table() const { return table_; }
  /// Distances between queries and keys of the same row, of all rows together.
  [[nodiscard]] DistanceRange const& range() const { return range_; }

  /// Throws `ShapeError` unless the table is for `queries` packed queries and its segments lie within sources of these
  /// many rows.
  void check_operands(Index queries, Index const* source_rows, int sources) const {
    if (queries != table_.queries())
      check_offsets("query_offsets", table_.query_offsets, table_.query_offsets.size(), queries);
    for (std::size_t s = 0; s < rows_needed_.size(); ++s)
      if (static_cast<int>(s) >= sources || rows_needed_[s] > source_rows[s])
        return refuse_sources(source_rows, sources);
  }

 private:
  static void check_offsets(char const* name, std::vector<Index> const& offsets, std::size_t count, Index end) {
    if (offsets.size() != count || offsets.front() != 0 || offsets.back() != end ||
        !std::is_sorted(offsets.begin(), offsets.end()))
      fail<ShapeError>("[attention] ", name, " do not fit; got ", offsets.size(), " offsets up to ",
                       offsets.empty() ? 0 : offsets.back(), "; expected ", count, " ascending ones from 0 to ", end);
  }
  void check_row(Index row) {
    bool const any = table_.first_query(row + 1) > table_.first_query(row);
    Index seen = 0;
    for (Index s = table_.first_segment(row); s < table_.first_segment(row + 1); ++s) {
      Segment const& segment = table_.segment(s);
      if (segment.source < 0 || segment.begin < 0 || segment.length < 0)
        fail<ShapeError>("[attention] row ", row, ": got a segment of ", segment.length, " keys at ", segment.begin,
                         " of source ", segment.source, "; expected no negative number");
      auto const source = static_cast<std::size_t>(segment.source);
      if (rows_needed_.size() <= source) rows_needed_.resize(source + 1, 0);
      rows_needed_[source] = std::max(rows_needed_[source], segment.begin + segment.length);
      if (any) seen += segment.visible(0);  // later queries see at least as much
    }
    if (any && seen == 0)
      fail<ShapeError>("[attention] row ", row,
                       ": got a query (index 0) that sees no key; expected at least one; hint: is a prompt or "
                       "source empty?");
    range_.include(distances(table_, row));
  }
  /// Names the first segment that does not fit.
  void refuse_sources(Index const* source_rows, int sources) const {
    for (Index row = 0; row < table_.rows(); ++row)
      for (Index s = table_.first_segment(row); s < table_.first_segment(row + 1); ++s) {
        Segment const& segment = table_.segment(s);
        if (segment.source >= sources)
          fail<ShapeError>("[attention] row ", row, ": got source ", segment.source, "; expected one of the ", sources,
                           " sources");
        if (Index const available = source_rows[segment.source]; segment.begin + segment.length > available)
          fail<ShapeError>("[attention] row ", row, ": got a segment of ", segment.length, " keys at ", segment.begin,
                           "; expected it within the ", available, " rows of source ", segment.source);
      }
  }

  SegmentTable table_;
  std::vector<Index> rows_needed_;  ///< of every source
  DistanceRange range_;
};

}  // namespace graft
