/// @file
/// @brief A segment table in a GPU's memory.
#pragma once

#include <utility>
#include <vector>

#include <graft/kernels/segment_work.hpp>
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

/// What attention's kernels read of a table, uploaded at once and without a wait. In a step of decoding all but the
/// segments are as many as in the step before, so they lie where they lay then.
template <class Device>
class SegmentMirror {
 public:
  /// Uploads what queries see.
  explicit SegmentMirror(SegmentTable const& table) {
    StepArrays<Device> arrays;
    auto const with_empty_row = [](std::vector<Index> offsets) {
      offsets.push_back(offsets.back());
      return offsets;
    };
    auto tiles = kernels::query_tiles(table);
    tiles.resize(kernels::filled_up(tiles.size()), {table.rows(), 0});
    query_offsets_ = arrays.add(with_empty_row(table.query_offsets));
    query_tiles_ = arrays.add(std::move(tiles));
    segment_offsets_ = arrays.add(with_empty_row(table.segment_offsets));
    query_positions_ = arrays.add(table.query_positions);
    segments_ = arrays.add(table.segments);
    arrays.upload();
    lists_ = {table.queries(),         query_offsets_.data(), segment_offsets_.data(), segments_.data(),
              query_positions_.data(), query_tiles_.size(),   query_tiles_.data()};
  }

  /// As the kernels read them, while the mirror lives.
  [[nodiscard]] kernels::SegmentLists const& lists() const { return lists_; }

 private:
  template <class T>
  using Array = MirroredArray<T, Device>;

  Array<Index> query_offsets_, segment_offsets_, query_positions_;
  Array<Segment> segments_;
  Array<kernels::QueryTile> query_tiles_;
  kernels::SegmentLists lists_;
};

/// The same of what the gradients of keys and values are formed by.
template <class Device>
class KeyMirror {
 public:
  explicit KeyMirror(SegmentTable const& table) {
    kernels::KeyWork work(table);
    StepArrays<Device> arrays;
    // of the empty row that `SegmentMirror` has behind the others, and behind a segment's keys
    if (auto& tiles = work.key_tiles; !tiles.empty())
      tiles.resize(kernels::filled_up(tiles.size()), {table.rows(), 0, table.segment(0).length});
    key_tiles_ = arrays.add(std::move(work.key_tiles));
    partial_row_ = arrays.add(std::move(work.partial_row));
    shared_ = arrays.add(std::move(work.shared));
    members_ = arrays.add(std::move(work.members));
    arrays.upload();
    lists_ = {key_tiles_.size(), key_tiles_.data(), partial_row_.data(), work.partial_rows,
              shared_.data(),    members_.data(),   shared_.size(),      work.shared_rows};
  }

  /// As the kernels read them, while the mirror lives.
  [[nodiscard]] kernels::KeyLists const& lists() const { return lists_; }

 private:
  MirroredArray<kernels::KeyTile, Device> key_tiles_;
  MirroredArray<kernels::SharedRows, Device> shared_;
  MirroredArray<Index, Device> partial_row_, members_;
  kernels::KeyLists lists_;
};

}  // namespace graft
