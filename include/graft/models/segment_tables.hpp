/// @file
/// @brief What every query sees: the segments of self-attention and of cross-attention.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/core/host_pool.hpp>
#include <graft/models/query_range.hpp>
#include <graft/models/row_layout.hpp>
#include <graft/ops/attention.hpp>

namespace graft {

/// Which rows of which source of an attention are a bank, and who sees it.
struct BankSegment {
  int source;
  Index begin, count;
  Place place;
  Index adapter;
  friend bool operator==(BankSegment const&, BankSegment const&) = default;

  /// Whether rows with this adapter see it.
  [[nodiscard]] bool joins(Index row_adapter) const {
    return adapter == Additions::every_row || adapter == row_adapter;
  }
};
using BankSegments = PoolVector<BankSegment>;

/// Adds what stores the banks to an attention's sources, each storage once, and says where every bank lies.
template <class Scalar, class Device>
[[nodiscard]] BankSegments add_sources(BankList<Scalar, Device> const& banks,
                                       std::vector<AttentionSource<Scalar, Device>>& sources) {
  BankSegments segments;
  segments.reserve(banks.size());
  auto const first = static_cast<std::ptrdiff_t>(sources.size());
  for (auto const& bank : banks) {
    auto const known = std::find_if(sources.begin() + first, sources.end(),
                                    [&](auto const& source) { return same_storage(source, bank); });
    segments.push_back({static_cast<int>(known - sources.begin()), bank.begin, bank.count, bank.place, bank.adapter});
    if (known == sources.end()) sources.push_back({bank.keys, bank.values});  // [keys, kv_heads · head_dim] each
  }
  return segments;
}

namespace detail {

/// Appends segments of those banks that stand at `place` and that rows with `adapter` see; `position` is that of the
/// first of them.
inline void add_bank_segments(std::vector<Segment>& segments, BankSegments const& banks, Place place, Index adapter,
                              Index first_query, Index position) {
  for (auto const& bank : banks) {
    if (bank.place != place || !bank.joins(adapter)) continue;
    segments.push_back({bank.source, bank.begin, bank.count, first_query, false, 0, position});
    position += bank.count;
  }
}
[[nodiscard]] inline Index keys_at(BankSegments const& banks, Place place, Index adapter) {
  Index count = 0;
  for (auto const& bank : banks) count += bank.place == place && bank.joins(adapter) ? bank.count : 0;
  return count;
}

}  // namespace detail

/// What every query of a layer's self-attention sees: its row's front banks, tokens in the cache, its ancestors'
/// tokens, its row's own (in a decoder those up to itself), and infix banks from the insertion on. Sources: 0 the
/// batch's own keys and values, 1 the cache or what stands in its place (if any), then those of the banks. For a
/// relative bias, positions count from the row's first token, virtual or not; keys of front banks stand before it.
template <class = void>
[[nodiscard]] SegmentTable self_attention_table(RowLayout const& layout, QueryRange const& queries,
                                                BankSegments const& banks, std::vector<ContinuedRow> const& continued,
                                                bool causal = true) {
  SegmentTable table;
  Rows const& rows = layout.rows;
  table.reserve(rows.count(), std::min<Index>(static_cast<Index>(banks.size()), 4) + (continued.empty() ? 1 : 2) +
                                  (rows.parent.empty() ? 0 : 1));
  std::vector<Index> ancestors;  // from the first on
  table.query_positions.reserve(
      static_cast<std::size_t>(std::accumulate(queries.length.begin(), queries.length.end(), Index{0})));
  for (Index r = 0; r < rows.count(); ++r) {
    auto const row = static_cast<std::size_t>(r);
    Index const start = queries.first[row], adapter = rows.adapter_of(r),
                front_keys = detail::keys_at(banks, Place::front, adapter);
    table.query_offsets.push_back(table.query_offsets.back() + queries.length[row]);
    for (Index i = 0; i < queries.length[row]; ++i)
      table.query_positions.push_back(layout.earlier_tokens[row] + start + i);
    detail::add_bank_segments(table.segments, banks, Place::front, adapter, 0, -front_keys);
    ancestors.clear();
    for (Index a = rows.parent_of(r); a >= 0; a = rows.parent_of(a)) ancestors.push_back(a);
    std::reverse(ancestors.begin(), ancestors.end());
    Index past = 0;
    if (!continued.empty())
      for (auto const& extent : continued[static_cast<std::size_t>(ancestors.empty() ? r : ancestors[0])].past) {
        if (extent.length > 0) table.segments.push_back({1, extent.begin, extent.length, 0, false, 0, past});
        past += extent.length;
      }
    for (Index const a : ancestors)
      table.segments.push_back(
          {0, rows.begin(a), rows.length(a), 0, false, 0, layout.earlier_tokens[static_cast<std::size_t>(a)]});
    table.segments.push_back(
        {0, rows.begin(r), rows.length(r), 0, causal, causal ? start : 0, layout.earlier_tokens[row]});
    detail::add_bank_segments(
        table.segments, banks, Place::infix, adapter,
        std::max<Index>(0, layout.front_tokens[row] + rows.insertion[row] - layout.earlier_tokens[row] - start), 0);
    table.segment_offsets.push_back(static_cast<Index>(table.segments.size()));
  }
  return table;
}

/// What every query of a layer's cross-attention sees: front banks, all of the encoder's states of its row, infix
/// banks. Sources: 0 the encoder's keys and values, then those of the banks. `states[r]` says which rows of source 0
/// are those of row r.
template <class = void>
[[nodiscard]] SegmentTable cross_attention_table(Rows const& queries, std::vector<CacheExtent> const& states,
                                                 BankSegments const& banks) {
  SegmentTable table;
  table.reserve(queries.count(), 1);
  for (Index r = 0; r < queries.count(); ++r) {
    auto const& extent = states[static_cast<std::size_t>(r)];
    Index const adapter = queries.adapter_of(r);
    table.query_offsets.push_back(queries.offsets[static_cast<std::size_t>(r) + 1]);
    detail::add_bank_segments(table.segments, banks, Place::front, adapter, 0, 0);
    table.segments.push_back({0, extent.begin, extent.length, 0, false, 0, 0});
    detail::add_bank_segments(table.segments, banks, Place::infix, adapter, 0, 0);
    table.segment_offsets.push_back(static_cast<Index>(table.segments.size()));
  }
  return table;
}

/// Which queries of which attention a table is for.
enum class Attending {
  self,       ///< every token, in self-attention
  self_last,  ///< the last layer's queries, in self-attention
  cross,      ///< the rows at hand, in cross-attention
  cross_last  ///< the last layer's queries, in cross-attention
};

/// What the queries of a pass see, planned and checked once: layers whose banks lie at the same rows of the same
/// sources share a table.
class SegmentTables {
 public:
  /// The table of these queries and banks; `make()` gives it where no layer has asked before.
  template <class Make>
  [[nodiscard]] std::shared_ptr<CheckedSegments const> at(Attending which, BankSegments const& banks,
                                                          Make const& make) {
    for (auto const& made : made_)
      if (made.which == which && made.banks == banks) return made.table;
    return made_.emplace_back(Made{which, banks, std::make_shared<CheckedSegments const>(make())}).table;
  }

 private:
  struct Made {
    Attending which;
    BankSegments banks;
    std::shared_ptr<CheckedSegments const> table;
  };

  std::vector<Made> made_;
};

/// The states of every row as extents of one storage.
[[nodiscard]] inline std::vector<CacheExtent> extents_of(Rows const& rows) {
  std::vector<CacheExtent> extents;
  for (Index r = 0; r < rows.count(); ++r) extents.push_back({rows.begin(r), rows.length(r)});
  return extents;
}

#ifdef GRAFT_COMPILED
extern template SegmentTable self_attention_table<>(RowLayout const&, QueryRange const&, BankSegments const&,
                                                    std::vector<ContinuedRow> const&, bool);
extern template SegmentTable cross_attention_table<>(Rows const&, std::vector<CacheExtent> const&, BankSegments const&);
#endif

}  // namespace graft
