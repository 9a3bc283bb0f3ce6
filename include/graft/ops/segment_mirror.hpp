/// @file
/// @brief A segment table in a GPU's memory.
#pragma once

#include <utility>

#include <graft/kernels/segment_work.hpp>
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

/// What attention's kernels read of a table, uploaded at once and without a wait.
template <class Device>
class SegmentMirror {
 public:
  /// Uploads the parts of a table.
  explicit SegmentMirror(SegmentTable const& table) {
    kernels::SegmentWork work(table);
    StepArrays<Device> arrays;
    query_offsets_ = arrays.add(table.query_offsets);
    segment_offsets_ = arrays.add(table.segment_offsets);
    segments_ = arrays.add(table.segments);
    query_positions_ = arrays.add(table.query_positions);
    query_tiles_ = arrays.add(std::move(work.query_tiles));
    key_tiles_ = arrays.add(std::move(work.key_tiles));
    partial_row_ = arrays.add(std::move(work.partial_row));
    shared_ = arrays.add(std::move(work.shared));
    members_ = arrays.add(std::move(work.members));
    arrays.upload();
    lists_ = {table.queries(),         query_offsets_.data(), segment_offsets_.data(), segments_.data(),
              query_positions_.data(), query_tiles_.size(),   key_tiles_.size(),       query_tiles_.data(),
              key_tiles_.data(),       partial_row_.data(),   work.partial_rows,       shared_.data(),
              members_.data(),         shared_.size(),        work.shared_rows};
  }

  /// As the kernels read them, while the mirror lives.
  [[nodiscard]] kernels::SegmentLists const& lists() const { return lists_; }

 private:
  template <class T>
  using Array = MirroredArray<T, Device>;

  Array<Index> query_offsets_, segment_offsets_, query_positions_, partial_row_, members_;
  Array<Segment> segments_;
  Array<kernels::QueryTile> query_tiles_;
  Array<kernels::KeyTile> key_tiles_;
  Array<kernels::SharedRows> shared_;
  kernels::SegmentLists lists_;
};

}  // namespace graft
