/// @file
/// @brief A segment table that has been checked, once for all layers that use it, and its copy in a GPU's memory.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/made_once.hpp>
#include <graft/kernels/attention_operands.hpp>
#include <graft/ops/segment_mirror.hpp>

namespace graft {

/// A segment table that is right in itself. It is checked where it is made, once for all layers that use it; what it
/// needs of their operands is a few numbers, which every attention compares.
///
/// It has no device of its own: what makes a table need not know where its attention runs.
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
  /// What the device's kernels read of the table. A GPU gets it at the first call, and nobody waits for it.
  template <class Device>
  [[nodiscard]] kernels::SegmentsOn<Device> const& on() const {
    if constexpr (std::is_same_v<Device, Cpu>)
      return table_;
    else
      return mirror_.get([this] { return std::make_shared<SegmentMirror<Device> const>(table_); }).lists();
  }
  /// What a GPU's kernels form the gradients of keys and values by, likewise.
  template <class Device>
  [[nodiscard]] kernels::KeyLists const& keys_on() const {
    return key_mirror_.get([this] { return std::make_shared<KeyMirror<Device> const>(table_); }).lists();
  }
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
  detail::MadeOnce<SegmentMirror<Cuda> const> mirror_;
  detail::MadeOnce<KeyMirror<Cuda> const> key_mirror_;
};

}  // namespace graft
