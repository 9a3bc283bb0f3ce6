/// @file
/// @brief Rows of one adapter among those of a batch.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include <graft/nn/row_addresses.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// Some rows as a batch of their own, and where their tokens are among all.
struct SelectedRows {
  Rows rows;                  ///< as if the others were not there
  std::vector<Index> places;  ///< `[tokens]`: packed indices in the batch
};

/// @param chosen rows, ascending
[[nodiscard]] inline SelectedRows select_rows(Rows const& rows, std::vector<Index> const& chosen) {
  SelectedRows result;
  Rows& out = result.rows;
  out.step = rows.step;
  out.training = rows.training;
  out.recompute = rows.recompute;
  auto const& targets = rows.targets;
  std::size_t target = 0;
  for (Index r : chosen) {
    auto const row = static_cast<std::size_t>(r);
    Index const begin = rows.begin(r), end = begin + rows.length(r);
    if (!rows.insertion.empty()) out.insertion.push_back(rows.insertion[row]);
    if (!rows.examples.empty()) out.examples.push_back(rows.examples[row]);
    out.adapter.push_back(rows.adapter_of(r));
    for (; target < targets.at.size() && targets.at[target] < end; ++target) {
      if (targets.at[target] < begin) continue;
      out.targets.at.push_back(targets.at[target] - begin + out.tokens());
      if (!targets.labels.empty()) out.targets.labels.push_back(targets.labels[target]);
      if (!targets.weights.empty()) out.targets.weights.push_back(targets.weights[target]);
    }
    for (Index i = begin; i < end; ++i) {
      auto const token = static_cast<std::size_t>(i);
      result.places.push_back(i);
      if (!rows.positions.empty()) out.positions.push_back(rows.positions[token]);
      if (!rows.token_types.empty()) out.token_types.push_back(rows.token_types[token]);
    }
    out.offsets.push_back(static_cast<Index>(result.places.size()));
  }
  share_addresses(out);
  return result;
}

/// The rows of a batch that have the same adapter.
struct RowGroup {
  Index adapter = 0;
  SelectedRows selected;  ///< empty where all rows have it
};

/// All rows, divided by their adapters, which ascend.
template <class = void>
[[nodiscard]] RowGroups group_rows(Rows const& rows) {
  std::map<Index, std::vector<Index>> by_adapter;
  for (Index r = 0; r < rows.count(); ++r) by_adapter[rows.adapter_of(r)].push_back(r);
  RowGroups groups;
  for (auto const& [adapter, chosen] : by_adapter)
    groups.push_back({adapter, by_adapter.size() == 1 ? SelectedRows{} : select_rows(rows, chosen)});
  return groups;
}
/// The rows' groups: those that a pass has made for all layers, or new ones.
[[nodiscard]] inline std::shared_ptr<RowGroups const> groups_of(Rows const& rows) {
  return rows.groups ? rows.groups : std::make_shared<RowGroups const>(group_rows(rows));
}

#ifdef GRAFT_COMPILED
extern template RowGroups group_rows<>(Rows const&);
#endif

}  // namespace graft
