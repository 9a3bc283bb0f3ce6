/// @file
/// @brief What every query sees: the segments of self-attention and of cross-attention.
#pragma once

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/models/query_range.hpp>
#include <graft/models/row_layout.hpp>
#include <graft/ops/attention.hpp>

namespace graft {

namespace detail {

/// Whether rows with this adapter see a bank.
template <class Scalar, class Device>
[[nodiscard]] bool sees(Index adapter, Bank<Scalar, Device> const& bank) {
  return bank.adapter == Additions::every_row || bank.adapter == adapter;
}
/// Appends segments of those banks that stand at `place` and that rows with `adapter` see; `position` is that of the first of them.
template <class Scalar, class Device>
void add_bank_segments(std::vector<Segment>& segments, BankList<Scalar, Device> const& banks, int first_source, Place place,
                       Index adapter, Index first_query, Index position) {
  for (std::size_t b = 0; b < banks.size(); ++b) {
    if (banks[b].place != place || !sees(adapter, banks[b])) continue;
    segments.push_back({first_source + static_cast<int>(b), 0, banks[b].count, first_query, false, 0, position});
    position += banks[b].count;
  }
}
template <class Scalar, class Device>
[[nodiscard]] Index keys_at(BankList<Scalar, Device> const& banks, Place place, Index adapter) {
  Index count = 0;
  for (auto const& bank : banks) count += bank.place == place && sees(adapter, bank) ? bank.count : 0;
  return count;
}

}  // namespace detail

/// What every query of a layer's self-attention sees: its row's front banks, tokens in the cache, its row's own tokens (in a decoder those up to
/// itself), and infix banks from the insertion on. Sources: 0 the batch's own keys and values, 1 the cache (if any), then the banks in
/// order. For a relative bias, positions count from the row's first token, virtual or not; keys of front banks stand before it.
template <class Scalar, class Device>
[[nodiscard]] SegmentTable self_attention_table(RowLayout const& layout, QueryRange const& queries, BankList<Scalar, Device> const& banks,
                                                std::vector<ContinuedRow> const& continued, bool causal = true) {
  SegmentTable table;
  Rows const& rows = layout.rows;
  int const first_bank = continued.empty() ? 1 : 2;
  table.reserve(rows.count(), std::min<Index>(static_cast<Index>(banks.size()), 4) + first_bank);
  table.query_positions.reserve(static_cast<std::size_t>(std::accumulate(queries.length.begin(), queries.length.end(), Index{0})));
  for (Index r = 0; r < rows.count(); ++r) {
    auto const row = static_cast<std::size_t>(r);
    Index const start = queries.first[row], adapter = rows.adapter_of(r), front_keys = detail::keys_at(banks, Place::front, adapter);
    table.query_offsets.push_back(table.query_offsets.back() + queries.length[row]);
    for (Index i = 0; i < queries.length[row]; ++i) table.query_positions.push_back(layout.earlier_tokens[row] + start + i);
    detail::add_bank_segments(table.segments, banks, first_bank, Place::front, adapter, 0, -front_keys);
    Index past = 0;
    if (!continued.empty())
      for (auto const& extent : continued[row].past) {
        if (extent.length > 0) table.segments.push_back({1, extent.begin, extent.length, 0, false, 0, past});
        past += extent.length;
      }
    table.segments.push_back({0, rows.begin(r), rows.length(r), 0, causal, causal ? start : 0, layout.earlier_tokens[row]});
    detail::add_bank_segments(table.segments, banks, first_bank, Place::infix, adapter,
                              std::max<Index>(0, layout.front_tokens[row] + rows.insertion[row] - layout.earlier_tokens[row] - start), 0);
    table.segment_offsets.push_back(static_cast<Index>(table.segments.size()));
  }
  return table;
}

/// What every query of a layer's cross-attention sees: front banks, all of the encoder's states of its row, infix banks. Sources: 0 the
/// encoder's keys and values, then the banks. `states[r]` says which rows of source 0 are those of row r.
template <class Scalar, class Device>
[[nodiscard]] SegmentTable cross_attention_table(Rows const& queries, std::vector<CacheExtent> const& states,
                                                 BankList<Scalar, Device> const& banks) {
  SegmentTable table;
  table.reserve(queries.count(), 1);
  for (Index r = 0; r < queries.count(); ++r) {
    auto const& extent = states[static_cast<std::size_t>(r)];
    Index const adapter = queries.adapter_of(r);
    table.query_offsets.push_back(queries.offsets[static_cast<std::size_t>(r) + 1]);
    detail::add_bank_segments(table.segments, banks, 1, Place::front, adapter, 0, 0);
    table.segments.push_back({0, extent.begin, extent.length, 0, false, 0, 0});
    detail::add_bank_segments(table.segments, banks, 1, Place::infix, adapter, 0, 0);
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

/// What the queries of a pass see, planned and checked once: layers whose banks have the same lengths at the same places share a table.
class SegmentTables {
 public:
  /// The table of these queries and banks; `make()` gives it where no layer has asked before.
  template <class Scalar, class Device, class Make>
  [[nodiscard]] std::shared_ptr<CheckedSegments const> at(Attending which, BankList<Scalar, Device> const& banks, Make const& make) {
    for (auto const& made : made_)
      if (made.which == which && std::equal(banks.begin(), banks.end(), made.banks.begin(), made.banks.end(), same)) return made.table;
    Made made{which, {}, std::make_shared<CheckedSegments const>(make())};
    for (auto const& bank : banks) made.banks.push_back({bank.count, bank.place, bank.adapter});
    return made_.emplace_back(std::move(made)).table;
  }

 private:
  struct BankPlace {
    Index count;
    Place place;
    Index adapter;
  };
  struct Made {
    Attending which;
    std::vector<BankPlace> banks;
    std::shared_ptr<CheckedSegments const> table;
  };
  static constexpr auto same = [](auto const& bank, BankPlace const& made) {
    return bank.count == made.count && bank.place == made.place && bank.adapter == made.adapter;
  };

  std::vector<Made> made_;
};

/// The states of every row as extents of one storage.
[[nodiscard]] inline std::vector<CacheExtent> extents_of(Rows const& rows) {
  std::vector<CacheExtent> extents;
  for (Index r = 0; r < rows.count(); ++r) extents.push_back({rows.begin(r), rows.length(r)});
  return extents;
}

}  // namespace graft
