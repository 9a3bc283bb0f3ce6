/// @file
/// @brief The plan of a step: how virtual tokens lengthen the rows, where every token's position lies, and what every query sees.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/models/cache.hpp>
#include <graft/ops/attention.hpp>

namespace graft {

/// The rows after virtual tokens have joined them.
struct PlannedRows {
  Rows rows;                                     ///< offsets, positions, insertion and targets in the lengthened rows
  std::vector<std::pair<int, Index>> assembly;   ///< `[tokens]`: (source, row): source 0 is the embedded real tokens, source 1 + g the g-th virtual group
  std::vector<Index> front_tokens;               ///< `[rows]`: virtual tokens at the front, in this batch or in the cache
  std::vector<Index> cached;                     ///< `[rows]`: lengthened tokens that are in the cache already
};

/// Lengthens the rows of a batch by the virtual tokens of `plan` and gives every token its position.
/// A row whose earlier tokens are cached got its virtual tokens then; its new tokens only count them.
template <class Scalar, class Device>
[[nodiscard]] PlannedRows plan_rows(Rows const& rows, VirtualPlan<Scalar, Device> const& plan, std::vector<CachedRow> const& cached = {}) {
  PlannedRows result;
  Rows& out = result.rows;
  out.insertion = rows.insertion;
  out.examples = rows.examples;
  out.step = rows.step;
  out.training = rows.training;
  out.targets = rows.targets;

  Index front_shift_of_keys = 0, infix_shift = 0, front_shift_of_tokens = 0, front_count = 0, infix_count = 0;
  for (auto const& keys : plan.keys) {
    if (keys.positions == PositionPolicy::keep) continue;
    (keys.place == Place::front ? front_shift_of_keys : infix_shift) += keys.count;
  }
  Index const infix_shift_of_keys = infix_shift;
  for (auto const& tokens : plan.tokens) {
    (tokens.place == Place::front ? front_count : infix_count) += tokens.embeddings.rows();
    if (tokens.positions == PositionPolicy::keep) continue;
    (tokens.place == Place::front ? front_shift_of_tokens : infix_shift) += tokens.embeddings.rows();
  }
  Index const front_shift = front_shift_of_keys + front_shift_of_tokens;

  std::vector<Index> new_index(static_cast<std::size_t>(rows.tokens()));
  for (Index r = 0; r < rows.count(); ++r) {
    auto const row = static_cast<std::size_t>(r);
    Index const first = cached.empty() ? 0 : cached[row].earlier, insertion = rows.insertion[row];
    auto const add_virtual = [&](Place place, Index position) {
      for (std::size_t g = 0; g < plan.tokens.size(); ++g) {
        if (plan.tokens[g].place != place) continue;
        for (Index k = 0; k < plan.tokens[g].embeddings.rows(); ++k) {
          out.positions.push_back(position++);
          result.assembly.emplace_back(static_cast<int>(g) + 1, k);
        }
      }
    };
    if (first == 0) add_virtual(Place::front, front_shift_of_keys);
    for (Index j = 0; j < rows.length(r); ++j) {
      Index const index = first + j;
      if (index == insertion) add_virtual(Place::infix, index + front_shift + infix_shift_of_keys);
      new_index[static_cast<std::size_t>(rows.begin(r) + j)] = static_cast<Index>(result.assembly.size());
      out.positions.push_back(index + front_shift + (index >= insertion ? infix_shift : 0));
      result.assembly.emplace_back(0, rows.begin(r) + j);
    }
    out.offsets.push_back(static_cast<Index>(result.assembly.size()));
    result.front_tokens.push_back(front_count);
    Index past = first;
    if (first > 0) past += front_count + (first > insertion ? infix_count : 0);
    result.cached.push_back(past);
  }
  for (Index& at : out.targets.at) at = new_index[static_cast<std::size_t>(at)];
  return result;
}

/// A contiguous range of queries in every row: all tokens, or, in the last layer, those from the first to the last target.
struct QueryRange {
  std::vector<Index> first, length;  ///< `[rows]`, in-row
  bool all = true;                   ///< every token of every row

  /// Packed indices of the queries.
  [[nodiscard]] std::vector<Index> packed(Rows const& rows) const {
    std::vector<Index> indices;
    for (Index r = 0; r < rows.count(); ++r)
      for (Index i = 0; i < length[static_cast<std::size_t>(r)]; ++i) indices.push_back(rows.begin(r) + first[static_cast<std::size_t>(r)] + i);
    return indices;
  }
};

[[nodiscard]] inline QueryRange all_queries(Rows const& rows) {
  QueryRange range;
  for (Index r = 0; r < rows.count(); ++r) {
    range.first.push_back(0);
    range.length.push_back(rows.length(r));
  }
  return range;
}

/// The smallest range of every row that holds its targets.
[[nodiscard]] inline QueryRange target_queries(Rows const& rows) {
  QueryRange range;
  range.all = false;
  auto at = rows.targets.at.begin();
  for (Index r = 0; r < rows.count(); ++r) {
    Index const end = rows.begin(r) + rows.length(r);
    Index first = 0, length = 0;
    for (; at != rows.targets.at.end() && *at < end; ++at) {
      if (length == 0) first = *at - rows.begin(r);
      length = *at - rows.begin(r) - first + 1;
    }
    range.first.push_back(first);
    range.length.push_back(length);
  }
  return range;
}

/// The rows as activations restricted to a range of queries see them; targets point into the restricted rows.
[[nodiscard]] inline Rows restrict_rows(Rows const& rows, QueryRange const& range) {
  Rows out;
  out.insertion = rows.insertion;
  out.examples = rows.examples;
  out.step = rows.step;
  out.training = rows.training;
  out.targets = rows.targets;
  std::size_t target = 0;
  for (Index r = 0; r < rows.count(); ++r) {
    Index const first = rows.begin(r) + range.first[static_cast<std::size_t>(r)], length = range.length[static_cast<std::size_t>(r)];
    for (Index i = 0; i < length; ++i) out.positions.push_back(rows.positions[static_cast<std::size_t>(first + i)]);
    for (; target < out.targets.at.size() && out.targets.at[target] < first + length; ++target) out.targets.at[target] += out.offsets.back() - first;
    out.offsets.push_back(out.offsets.back() + length);
  }
  return out;
}

/// What every query of a layer sees: front banks, cached tokens, its row's own tokens up to itself, and infix banks from the insertion on.
/// Sources: 0 the batch's own keys and values, 1 the cache (if any), then the banks in order.
template <class Scalar, class Device>
[[nodiscard]] std::shared_ptr<AttentionPlan const> plan_attention(PlannedRows const& planned, QueryRange const& queries, BankList<Scalar, Device> const& banks,
                                                                  std::vector<CachedRow> const& cached) {
  auto plan = std::make_shared<AttentionPlan>();
  Rows const& rows = planned.rows;
  int const first_bank = cached.empty() ? 1 : 2;
  plan->query_offsets.assign(1, 0);
  plan->segment_offsets.assign(1, 0);
  for (Index r = 0; r < rows.count(); ++r) {
    auto const row = static_cast<std::size_t>(r);
    Index const start = queries.first[row];
    plan->query_offsets.push_back(plan->query_offsets.back() + queries.length[row]);
    auto const add_banks = [&](Place place, Index first_query) {
      for (std::size_t b = 0; b < banks.size(); ++b)
        if (banks[b].place == place) plan->segments.push_back({first_bank + static_cast<int>(b), 0, banks[b].count, first_query, false, 0, 0});
    };
    add_banks(Place::front, 0);
    if (!cached.empty())
      for (auto const& extent : cached[row].past)
        if (extent.length > 0) plan->segments.push_back({1, extent.begin, extent.length, 0, false, 0, 0});
    plan->segments.push_back({0, rows.begin(r), rows.length(r), 0, true, start, 0});
    add_banks(Place::infix, std::max<Index>(0, planned.front_tokens[row] + rows.insertion[row] - planned.cached[row] - start));
    plan->segment_offsets.push_back(static_cast<Index>(plan->segments.size()));
  }
  return plan;
}

}  // namespace graft
