/// @file
/// @brief A segment table as the kernels of a GPU read it: lists in its memory, and the parts that its threads share
/// the work by.
#pragma once

#include <graft/core/device_pointer.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/segment_table.hpp>

namespace graft::kernels {

/// Queries of a `QueryTile`, keys of a `KeyTile`.
inline constexpr Index tile_size = 32;

/// Queries [first, first + tile_size) of a row, as far as it has them.
struct QueryTile {
  Index row;    ///< of the packed queries
  Index first;  ///< index in its row
};
/// Keys [first, first + tile_size) of a segment, as far as it has them.
struct KeyTile {
  Index row;      ///< whose segment it is
  Index segment;  ///< number in the table
  Index first;    ///< index in the segment
};

/// Rows [begin, begin + rows) of a source, each of which may lie in several segments: their parts of its gradients are
/// added in the order of these segments.
struct SharedRows {
  Index source;                 ///< where they are stored
  Index begin;                  ///< first row of the run
  Index rows;                   ///< length of the run
  Index before;                 ///< shared rows of the runs before it
  Index first_member, members;  ///< its segments, in `KeyLists::members`
};

/// What queries see. All of it lies on the GPU, but for the numbers of elements.
struct SegmentLists {
  Index queries = 0;                           ///< of all rows
  DevicePointer<Index const> query_offsets;    ///< [rows + 1], as in `SegmentTable`
  DevicePointer<Index const> segment_offsets;  ///< [rows + 1]
  DevicePointer<Segment const> segments;       ///< [segments]
  DevicePointer<Index const> query_positions;  ///< [queries], or null
  Index query_tiles = 0;                       ///< how many
  DevicePointer<QueryTile const> query_tile;   ///< [query_tiles] every query of every row

  /// The first packed query of a row.
  [[nodiscard]] GRAFT_HOST_DEVICE Index first_query(Index row) const { return query_offsets.raw()[row]; }
  /// How many queries a row has.
  [[nodiscard]] GRAFT_HOST_DEVICE Index queries_of(Index row) const { return first_query(row + 1) - first_query(row); }
  /// The number of a row's first segment.
  [[nodiscard]] GRAFT_HOST_DEVICE Index first_segment(Index row) const { return segment_offsets.raw()[row]; }
  /// The i-th segment of the table.
  [[nodiscard]] GRAFT_HOST_DEVICE Segment const& segment(Index i) const { return segments.raw()[i]; }
  /// Position of the i-th query of row `row`.
  [[nodiscard]] GRAFT_HOST_DEVICE Index query_position(Index row, Index i) const {
    return query_positions ? query_positions.raw()[first_query(row) + i] : i;
  }
};

/// What the gradients of keys and values are formed by, likewise.
struct KeyLists {
  Index key_tiles = 0;                     ///< how many
  DevicePointer<KeyTile const> key_tile;   ///< [key_tiles] every key of every segment whose row has queries
  DevicePointer<Index const> partial_row;  ///< [segments] first row among the partial sums; −1: shares no stored row
  Index partial_rows = 0;                  ///< of all segments that share stored rows
  DevicePointer<SharedRows const> shared;  ///< runs of stored rows that segments share
  DevicePointer<Index const> members;      ///< segments of the runs
  Index shared_runs = 0;                   ///< how many runs
  Index shared_rows = 0;                   ///< rows of all runs
};

}  // namespace graft::kernels
