/// @file
/// @brief Several adapters in one model, of which every row has its own.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <graft/adaptation/any_adapter.hpp>
#include <graft/adaptation/row_mixture.hpp>
#include <graft/adaptation/settings_list.hpp>
#include <graft/nn/row_groups.hpp>

namespace graft {

/// A table of adapters of the same or of different strategies over one base: `Rows::adapter` says which of them each row of a batch has.
/// What the base computes is computed for all rows together (but for products whose inputs an adapter changes). It starts empty; see
/// `add_adapter` and `remove_adapter`.
struct AdapterTable {
  static constexpr char const* name = "adapter_table";
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

template <class Scalar, class Device>
class AdapterTable::State {
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
      auto const at = std::lower_bound(entries.begin(), entries.end(), number, [](Entry const& e, Index n) { return e.number < n; });
      return at != entries.end() && at->number == number ? &*at : nullptr;
    }
  };

  State(AdapterTable const&, ModelInfo const&, BaseAccess<Scalar, Device> const&, RandomKey) {}

  /// Takes an adapter in. Its number is one that no other has had.
  /// @param settings for checkpoints, which tell an adapter from another by them
  /// @throws ConfigError for one that is in the table already
  Index add(std::shared_ptr<Adapter> adapter, std::vector<Setting> settings = {}) {
    auto const own = adapter->parameters();
    for (std::size_t i = 0; i < entries_.size() && !own.empty(); ++i)
      if (entries_[i].adapter && entries_[i].adapter->parameters() == own)
        fail<ConfigError>("[adapter_table] got an adapter that is in the table already, as number ", i,
                          "; expected each once; hint: rows may share a number");
    auto const number = static_cast<Index>(entries_.size());
    Entry entry{std::move(adapter), {}, std::move(settings)};
    for (auto* parameter : entry.adapter->parameters()) {
      entry.parameters.push_back(std::make_unique<Parameter<Scalar, Device>>(*parameter));  // shares value and gradient
      entry.parameters.back()->rename(cat(number, ".", parameter->name()));
    }
    entries_.push_back(std::move(entry));
    return number;
  }
  /// Takes an adapter out, with its parameters; the others keep their numbers. @throws ConfigError where there is none
  void remove(Index number) {
    if (number < 0 || !has_adapter(number))
      fail<ConfigError>("[adapter_table] got adapter ", number, " to remove; expected one of the ", size(), " in the table");
    entries_[static_cast<std::size_t>(number)] = {};
  }
  /// Adapters that are in the table.
  [[nodiscard]] Index size() const {
    return static_cast<Index>(std::count_if(entries_.begin(), entries_.end(), [](Entry const& e) { return e.adapter != nullptr; }));
  }
  /// f(number, settings) of every adapter.
  template <class F>
  void each_adapter(F const& f) const {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].adapter) f(static_cast<Index>(i), entries_[i].settings);
  }
  /// Whether a row may name it: an adapter of the table, or −1 for none.
  [[nodiscard]] bool has_adapter(Index number) const {
    return number == -1 ||
           (number >= 0 && number < static_cast<Index>(entries_.size()) && entries_[static_cast<std::size_t>(number)].adapter);
  }

  /// Those of all adapters, with the adapter's number and a dot before their names: "0.", "1.", …
  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& entry : entries_)
      for (auto& parameter : entry.parameters) all.push_back(parameter.get());
    return all;
  }
  [[nodiscard]] Step prepare(StepContext const& context) const {
    Step step;
    BankRowsList<Scalar, Device> storages;
    auto const& needed = context.adapters;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      auto const number = static_cast<Index>(i);
      if (!entries_[i].adapter || (!needed.empty() && !std::binary_search(needed.begin(), needed.end(), number))) continue;
      step.entries.push_back({number, entries_[i].adapter, entries_[i].adapter->prepare({context.step, context.training}, storages)});
    }
    detail::pool_bank_rows(std::move(storages));
    return step;
  }
  void announce(Additions& additions) const {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!entries_[i].adapter) continue;
      std::size_t const tokens = additions.tokens.size(), keys = additions.keys.size();
      entries_[i].adapter->announce(additions);
      for (std::size_t g = tokens; g < additions.tokens.size(); ++g) additions.tokens[g].adapter = static_cast<Index>(i);
      for (std::size_t g = keys; g < additions.keys.size(); ++g) additions.keys[g].adapter = static_cast<Index>(i);
    }
  }
  void virtual_tokens(EmbeddingList<Scalar, Device>& embeddings, Step const& step) const {
    for (auto const& entry : step.entries) entry.adapter->virtual_tokens(embeddings, entry.step);
  }
  void virtual_keys_values(LayerAddress at, AttentionKind kind, BankList<Scalar, Device>& banks, Step const& step) const {
    for (auto const& entry : step.entries) {
      std::size_t const first = banks.size();
      entry.adapter->virtual_keys_values(at, kind, banks, entry.step);
      for (std::size_t b = first; b < banks.size(); ++b) banks[b].adapter = entry.number;
    }
  }

  /// The base's product is computed once for the rows of all adapters that leave its input alone.
  template <class Linear>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Linear const& linear, Rows const& rows, Step const& step) const {
    auto const groups = groups_of(rows);
    auto const change = [&](RowGroup const& group) {
      auto const* entry = step.find(group.adapter);
      return entry ? entry->adapter->changes(site) : ProductChange::none;
    };
    if (groups->size() == 1 && change(groups->front()) != ProductChange::none) {
      auto const& entry = *step.find(groups->front().adapter);
      return entry.adapter->project(site, x, AnyLinear<Scalar, Device>(linear), rows, entry.step);
    }
    bool const apart = std::all_of(groups->begin(), groups->end(), [&](auto const& g) { return change(g) == ProductChange::input; });
    RowMixture<Scalar, Device> mixture(apart && !groups->empty() ? Value() : linear(x), rows.tokens());
    for (auto const& group : *groups) {
      ProductChange const how = change(group);
      if (how == ProductChange::none) continue;
      auto const& entry = *step.find(group.adapter);
      auto const& [own, places] = group.selected;
      auto const product = [&, &at = places](Value const& input) {
        return how == ProductChange::input ? linear(input) : gather_rows(mixture.base(), at);
      };
      mixture.put(entry.adapter->project(site, gather_rows(x, places), AnyLinear<Scalar, Device>(product), own, entry.step), places);
    }
    return mixture.result();
  }
  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const& residual, Value const& input, Value const& output,
                                     Rows const& rows, Step const& step) const {
    return for_each_group(
        output, rows, step, [](Adapter const& adapter) { return adapter.has_after_sublayer(); },
        [&](auto const& entry, Rows const& own, auto const& select) {
          return entry.adapter->after_sublayer(at, which, select(residual), select(input), select(output), own, entry.step);
        });
  }
  [[nodiscard]] Value after_layer(LayerAddress at, Value const& x, Rows const& rows, Step const& step) const {
    return for_each_group(
        x, rows, step, [](Adapter const& adapter) { return adapter.has_after_layer(); },
        [&](auto const& entry, Rows const& own, auto const& select) { return entry.adapter->after_layer(at, select(x), own, entry.step); });
  }

 private:
  struct Entry {
    std::shared_ptr<Adapter> adapter;  ///< null once removed
    std::vector<std::unique_ptr<Parameter<Scalar, Device>>> parameters;
    std::vector<Setting> settings;
  };

  /// `x` with `call(entry, rows, select)` in the rows of every adapter that `has` the hook; `select` takes an activation's rows of it.
  template <class Has, class Call>
  [[nodiscard]] static Value for_each_group(Value const& x, Rows const& rows, Step const& step, Has const& has, Call const& call) {
    auto const groups = groups_of(rows);
    RowMixture<Scalar, Device> mixture(x, rows.tokens());
    for (auto const& group : *groups) {
      auto const* entry = step.find(group.adapter);
      if (!entry || !has(*entry->adapter)) continue;
      if (groups->size() == 1) return call(*entry, rows, [](Value const& all) { return all; });
      auto const& places = group.selected.places;
      mixture.put(call(*entry, group.selected.rows, [&](Value const& all) { return gather_rows(all, places); }), places);
    }
    return mixture.result();
  }

  std::vector<Entry> entries_;  ///< by number
};

}  // namespace graft
