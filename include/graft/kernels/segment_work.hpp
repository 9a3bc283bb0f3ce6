/// @file
/// @brief How a GPU's attention cuts a segment table into parts that threads work on side by side.
#pragma once

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <vector>

#include <graft/kernels/segment_lists.hpp>

namespace graft::kernels {

/// What lists of tiles are filled up to, so that tables of nearly the same size take the same launches: those of more
/// than 16 to a multiple of 16, by tiles of a row without queries.
[[nodiscard]] constexpr std::size_t filled_up(std::size_t tiles) {
  return tiles <= 16 ? tiles : (tiles + 15) / 16 * 16;
}

/// The tiles of a table's queries. In causal attention the last queries see most keys: what takes long starts first.
[[nodiscard]] inline std::vector<QueryTile> query_tiles(SegmentTable const& table) {
  std::vector<QueryTile> tiles;
  for (Index row = 0; row < table.rows(); ++row) {
    Index const queries = table.first_query(row + 1) - table.first_query(row);
    for (Index first = (queries - 1) / tile_size * tile_size; queries > 0 && first >= 0; first -= tile_size)
      tiles.push_back({row, first});
  }
  return tiles;
}

/// The parts of a table's keys, as `KeyLists` names them.
class KeyWork {
 public:
  /// Cuts a table's keys into parts, and finds what its segments share.
  explicit KeyWork(SegmentTable const& table) : partial_row(table.segments.size(), -1) {
    for (Index row = 0; row < table.rows(); ++row) {
      if (table.first_query(row + 1) == table.first_query(row)) continue;
      // in causal attention the first keys are seen by most queries
      for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s)
        for (Index first = 0; first < table.segment(s).length; first += tile_size) key_tiles.push_back({row, s, first});
    }
    find_shared(table);
  }

  std::vector<KeyTile> key_tiles;  ///< every key of every segment whose row has queries
  std::vector<Index> partial_row;  ///< [segments] first row among the partial sums, or −1
  std::vector<SharedRows> shared;  ///< runs of stored rows that segments share
  std::vector<Index> members;      ///< segments of the runs
  Index partial_rows = 0;          ///< of all segments that share stored rows
  Index shared_rows = 0;           ///< rows of all runs

 private:
  /// Segments that overlap, directly or through others, make one run. Sorted by where they begin, its segments follow
  /// each other.
  void find_shared(SegmentTable const& table) {
    std::vector<Index> order;
    for (auto const& tile : key_tiles)
      if (tile.first == 0) order.push_back(tile.segment);
    auto const place = [&](Index s) { return std::tuple(table.segment(s).source, table.segment(s).begin, s); };
    std::sort(order.begin(), order.end(), [&](Index a, Index b) { return place(a) < place(b); });
    for (std::size_t first = 0, last = 0; first < order.size(); first = last) {
      Segment const& start = table.segment(order[first]);
      Index end = start.begin;
      for (; last < order.size(); ++last) {
        Segment const& next = table.segment(order[last]);
        if (last > first && (next.source != start.source || next.begin >= end)) break;
        end = std::max(end, next.begin + next.length);
      }
      if (last - first > 1) add_run(table, {order.data() + first, order.data() + last}, end);
    }
  }
  void add_run(SegmentTable const& table, std::vector<Index> segments, Index end) {
    Segment const& start = table.segment(segments[0]);
    std::sort(segments.begin(), segments.end());
    shared.push_back({start.source, start.begin, end - start.begin, shared_rows, static_cast<Index>(members.size()),
                      static_cast<Index>(segments.size())});
    shared_rows += end - start.begin;
    members.insert(members.end(), segments.begin(), segments.end());
    for (Index const s : segments) {
      partial_row[static_cast<std::size_t>(s)] = partial_rows;
      partial_rows += table.segment(s).length;
    }
  }
};

}  // namespace graft::kernels
