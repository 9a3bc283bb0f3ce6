/// @file
/// @brief Several adapters in one model, of which every row has its own.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <graft/adaptation/adapter_list.hpp>
#include <graft/adaptation/row_mixture.hpp>
#include <graft/nn/row_groups.hpp>

namespace graft {

/// A table of adapters of the same or of different strategies over one base: `Rows::adapter` says which of them each
/// row of a batch has. What the base computes is computed for all rows together (but for products whose inputs an
/// adapter changes). It starts empty; see `add_adapter` and `remove_adapter`.
struct AdapterTable {
  static constexpr char const* name = "adapter_table";
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

template <class Scalar, class Device>
class AdapterTable::State : public AdapterList<Scalar, Device> {
 public:
  using Value = Variable<Scalar, Device>;
  using Adapter = AnyAdapter<Scalar, Device>;
  /// What is prepared of the adapters that the step needs. It holds them, whatever becomes of the table.
  struct Step {
    struct Entry {
      Index number;
      std::shared_ptr<Adapter const> adapter;
      typename Adapter::Step step;
    };
    std::vector<Entry> entries;  ///< by number, ascending

    [[nodiscard]] Entry const* find(Index number) const {
      auto const at = std::lower_bound(entries.begin(), entries.end(), number,
                                       [](Entry const& e, Index n) { return e.number < n; });
      return at != entries.end() && at->number == number ? &*at : nullptr;
    }
  };

  State(AdapterTable const&, ModelInfo const&, BaseAccess<Scalar, Device> const&, RandomKey) {}

  [[nodiscard]] Step prepare(StepContext const& context) const {
    Step step;
    BankRowsList<Scalar, Device> storages;
    auto const& needed = context.adapters;
    this->each([&](Index number, std::shared_ptr<Adapter const> const& adapter) {
      if (needed.empty() || std::binary_search(needed.begin(), needed.end(), number))
        step.entries.push_back({number, adapter, adapter->prepare({context.step, context.training}, storages)});
    });
    detail::pool_bank_rows(std::move(storages));
    return step;
  }
  void announce(Additions& additions) const {
    this->each([&](Index number, std::shared_ptr<Adapter const> const& adapter) {
      std::size_t const tokens = additions.tokens.size(), keys = additions.keys.size();
      adapter->announce(additions);
      for (std::size_t g = tokens; g < additions.tokens.size(); ++g) additions.tokens[g].adapter = number;
      for (std::size_t g = keys; g < additions.keys.size(); ++g) additions.keys[g].adapter = number;
    });
  }
  void virtual_tokens(EmbeddingList<Scalar, Device>& embeddings, Step const& step) const {
    for (auto const& entry : step.entries) entry.adapter->virtual_tokens(embeddings, entry.step);
  }
  void virtual_keys_values(LayerAddress at, AttentionKind kind, BankList<Scalar, Device>& banks,
                           Step const& step) const {
    for (auto const& entry : step.entries) {
      std::size_t const first = banks.size();
      entry.adapter->virtual_keys_values(at, kind, banks, entry.step);
      for (std::size_t b = first; b < banks.size(); ++b) banks[b].adapter = entry.number;
    }
  }

  /// The base's product is computed once for the rows of all adapters that leave its input alone.
  template <class Linear>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Linear const& linear, Rows const& rows,
                              Step const& step) const {
    auto const groups = groups_of(rows);
    auto const change = [&](RowGroup const& group) {
      auto const* entry = step.find(group.adapter);
      return entry ? entry->adapter->changes(site) : ProductChange::none;
    };
    if (groups->size() == 1 && change(groups->front()) != ProductChange::none) {
      auto const& entry = *step.find(groups->front().adapter);
      return entry.adapter->project(site, x, AnyLinear<Scalar, Device>(linear), rows, entry.step);
    }
    bool const apart =
        std::all_of(groups->begin(), groups->end(), [&](auto const& g) { return change(g) == ProductChange::input; });
    RowMixture<Scalar, Device> mixture(apart && !groups->empty() ? Value() : linear(x), rows.tokens());
    for (auto const& group : *groups) {
      ProductChange const how = change(group);
      if (how == ProductChange::none) continue;
      auto const& entry = *step.find(group.adapter);
      auto const& [own, places] = group.selected;
      auto const product = [&, &at = places](Value const& input) {
        return how == ProductChange::input ? linear(input) : gather_rows(mixture.base(), at);
      };
      mixture.put(
          entry.adapter->project(site, gather_rows(x, places), AnyLinear<Scalar, Device>(product), own, entry.step),
          places);
    }
    return mixture.result();
  }
  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const& residual, Value const& input,
                                     Value const& output, Rows const& rows, Step const& step) const {
    return for_each_group(
        output, rows, step, [](Adapter const& adapter) { return adapter.has_after_sublayer(); },
        [&](auto const& entry, Rows const& own, auto const& select) {
          return entry.adapter->after_sublayer(at, which, select(residual), select(input), select(output), own,
                                               entry.step);
        });
  }
  [[nodiscard]] Value after_layer(LayerAddress at, Value const& x, Rows const& rows, Step const& step) const {
    return for_each_group(
        x, rows, step, [](Adapter const& adapter) { return adapter.has_after_layer(); },
        [&](auto const& entry, Rows const& own, auto const& select) {
          return entry.adapter->after_layer(at, select(x), own, entry.step);
        });
  }

 private:
  /// `x` with `call(entry, rows, select)` in the rows of every adapter that `has` the hook; `select` takes an
  /// activation's rows of it.
  template <class Has, class Call>
  [[nodiscard]] static Value for_each_group(Value const& x, Rows const& rows, Step const& step, Has const& has,
                                            Call const& call) {
    auto const groups = groups_of(rows);
    RowMixture<Scalar, Device> mixture(x, rows.tokens());
    for (auto const& group : *groups) {
      auto const* entry = step.find(group.adapter);
      if (!entry || !has(*entry->adapter)) continue;
      if (groups->size() == 1) return call(*entry, rows, [](Value const& all) { return all; });
      auto const& places = group.selected.places;
      mixture.put(call(*entry, group.selected.rows, [&](Value const& all) { return gather_rows(all, places); }),
                  places);
    }
    return mixture.result();
  }
};

}  // namespace graft
