/// @file
/// @brief Adapters of any strategies by their numbers, with their parameters and settings.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <graft/adaptation/any_adapter.hpp>
#include <graft/adaptation/settings_list.hpp>

namespace graft {

/// What an `AdapterTable` holds, whatever its rows do with it.
template <class Scalar, class Device>
class AdapterList {
 public:
  using Adapter = AnyAdapter<Scalar, Device>;

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
      fail<ConfigError>("[adapter_table] got adapter ", number, " to remove; expected one of the ", size(),
                        " in the table");
    entries_[static_cast<std::size_t>(number)] = {};
  }
  /// Adapters that are in the table.
  [[nodiscard]] Index size() const {
    return static_cast<Index>(
        std::count_if(entries_.begin(), entries_.end(), [](Entry const& e) { return e.adapter != nullptr; }));
  }
  /// f(number, settings) of every adapter.
  template <class F>
  void each_settings(F const& f) const {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].adapter) f(static_cast<Index>(i), entries_[i].settings);
  }
  /// Whether a row may name it: an adapter of the table, or −1 for none.
  [[nodiscard]] bool has_adapter(Index number) const {
    return number == -1 || (number >= 0 && number < static_cast<Index>(entries_.size()) &&
                            entries_[static_cast<std::size_t>(number)].adapter);
  }

  /// Those of all adapters, with the adapter's number and a dot before their names: "0.", "1.", …
  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& entry : entries_)
      for (auto& parameter : entry.parameters) all.push_back(parameter.get());
    return all;
  }

 protected:
  /// f(number, adapter) of every adapter, by number.
  template <class F>
  void each(F const& f) const {
    for (std::size_t i = 0; i < entries_.size(); ++i)
      if (entries_[i].adapter) f(static_cast<Index>(i), entries_[i].adapter);
  }

 private:
  struct Entry {
    std::shared_ptr<Adapter> adapter;  ///< null once removed
    std::vector<std::unique_ptr<Parameter<Scalar, Device>>> parameters;
    std::vector<Setting> settings;
  };

  std::vector<Entry> entries_;  ///< by number
};

}  // namespace graft
