/// @file
/// @brief Choices of a list of strategies: text becomes the settings' own types. `graft::any` holds these functions for
/// its own list; a list of one's own is compiled where it is used.
#pragma once

#include <algorithm>
#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/check_numbers.hpp>
#include <graft/any/chosen.hpp>
#include <graft/any/named_settings.hpp>
#include <graft/any/nearest.hpp>
#include <graft/any/strategies.hpp>

namespace graft::any {

/// What is known of every entry of a list, in its order.
template <class List>
[[nodiscard]] std::vector<StrategyInfo> describe() {
  std::vector<StrategyInfo> all;
  List::each([&]<class Entry>() {
    all.push_back({std::string(entry_name<Entry>()), Entry::summary, Entry::learning_rate, {}});
    describe_settings(all.back().settings, entry_settings<Entry>());
  });
  return all;
}

namespace detail {

template <class List>
[[nodiscard]] std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  List::each([&]<class Entry>() { names.emplace_back(entry_name<Entry>()); });
  return names;
}

/// The name that an entry has here, for those who know the one that files have.
template <class List>
[[nodiscard]] std::string strategy_hint(std::string_view name) {
  std::string hint;
  List::each([&]<class Entry>() {
    if (Entry::name == name) hint = "; hint: did you mean " + std::string(entry_name<Entry>()) + "?";
  });
  return hint.empty() ? nearest_hint(name, strategy_names<List>()) : hint;
}

/// Calls `f.template operator()<Entry>()` for the entry of that name. @throws ConfigError where there is none
template <class List, class F>
void with_entry(std::string_view name, F const& f) {
  bool found = false;
  List::each([&]<class Entry>() {
    if (found || entry_name<Entry>() != name) return;
    found = true;
    f.template operator()<Entry>();
  });
  if (!found)
    fail<ConfigError>("[strategy] got ", printable(name), "; expected one of ", joined(strategy_names<List>()),
                      strategy_hint<List>(name));
}

/// A choice under way: its settings, and which of them each given name means.
template <class Settings>
struct Reading {
  Settings settings;
  std::optional<ClassificationHead> head;
  std::vector<std::vector<std::string>> full;  ///< of each given setting, in the choice's order

  [[nodiscard]] bool reads(std::string_view name, ModelInfo const& model) const {
    return is_of_head(name) ? head.has_value() : reads_setting(settings, name, model);
  }
  /// Whether a name is that of a setting of the head beside the strategy.
  [[nodiscard]] bool is_of_head(std::string_view name) const {
    if (!behind(name, "head")) return false;
    std::vector<SettingInfo> own;
    describe_settings(own, settings);
    return std::none_of(own.begin(), own.end(), [&](SettingInfo const& info) { return info.name == name; });
  }
};

/// Whether a strategy trains a classifier's head itself: then none is trained beside it.
template <class Settings>
[[nodiscard]] bool trains_head(Settings const& settings) {
  if constexpr (std::is_same_v<Settings, NoAdaptation> || std::is_same_v<Settings, ClassificationHead>)
    return true;
  else if constexpr (requires {
                       { settings.head } -> std::convertible_to<bool>;
                     })
    return settings.head;
  else
    return false;
}

/// @throws ConfigError for a strategy that the model does not have
template <class Entry>
void require_offered(ModelInfo const& model) {
  if (offered<Entry>(model.classifies)) return;
  if (!model.classifies)
    fail<ConfigError>("[strategy] got ", entry_name<Entry>(), " for a ", model.architecture,
                      " model; expected an encoder (bert, roberta)");
  bool placed = false;
  if constexpr (requires { Entry::needs_target; }) placed = Entry::needs_target;
  fail<ConfigError>("[strategy] got ", entry_name<Entry>(), " for a ", model.architecture,
                    " model; expected a strategy for classifiers",
                    placed ? ": an infix stands between a source and a target" : "");
}

/// A setting that is given twice, or within another that is none.
inline void require_once(Choice const& choice, std::vector<std::vector<std::string>> const& full) {
  auto const& given = choice.settings;
  for (std::size_t i = 0; i < given.size(); ++i)
    for (std::size_t j = 0; j < given.size(); ++j)
      for (auto const& a : full[i])
        for (auto const& b : full[j]) {
          if (i < j && a == b)
            fail<ConfigError>("[", choice.strategy, "] got the setting ", given[j].first, " twice",
                              given[i].first == given[j].first ? std::string() : ", also as " + given[i].first,
                              "; expected it once");
          if (given[i].second == "none" && behind(b, a))
            fail<ConfigError>("[", choice.strategy, "] got the setting ", given[j].first, " beside ", given[i].first,
                              " none; expected one of them");
        }
}

[[noreturn]] inline void refuse_unknown(std::string const& strategy, std::string const& name,
                                        std::vector<SettingInfo> const& known) {
  std::vector<std::string> names;
  for (auto const& info : known) names.push_back(info.name);
  if (names.empty())
    fail<ConfigError>("[", strategy, "] got the setting ", printable(name), "; expected none, for it has no settings");
  fail<ConfigError>("[", strategy, "] got the setting ", printable(name), "; expected one of ", joined(names),
                    nearest_hint(name, names));
}

/// Reads every given setting: outer ones before those in them.
template <class Entry>
[[nodiscard]] Reading<EntrySettings<Entry>> read_choice(Choice const& choice, ModelInfo const& model) {
  require_offered<Entry>(model);
  Reading<EntrySettings<Entry>> reading{entry_settings<Entry>(model), std::nullopt, {}};
  auto const& given = choice.settings;
  reading.full.resize(given.size());
  std::vector<std::size_t> order(given.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    auto const depth = [&](std::size_t i) { return std::count(given[i].first.begin(), given[i].first.end(), '.'); };
    return depth(a) < depth(b);
  });
  using Settings = EntrySettings<Entry>;
  constexpr bool beside = !std::is_same_v<Settings, NoAdaptation> && !std::is_same_v<Settings, ClassificationHead>;
  ClassificationHead head;
  for (std::size_t const i : order) {
    auto const& [name, text] = given[i];
    SettingPlace const at{choice.strategy, name};
    reading.full[i] = assign_setting(reading.settings, at, name, text);
    if (auto const own = behind(name, "head"); own && beside && reading.full[i].empty())
      if (assign_field(head, at, *own, text)) reading.full[i] = {name};
    if (!reading.full[i].empty()) continue;
    std::vector<SettingInfo> known;
    describe_settings(known, reading.settings);
    if (model.classifies && beside) describe_settings(known, head, "head.");
    refuse_unknown(choice.strategy, name, known);
  }
  require_once(choice, reading.full);
  if constexpr (std::is_same_v<Settings, ClassificationHead>) head = reading.settings;
  if (choice.labels && head.labels > 0 && head.labels < *choice.labels)
    fail<ConfigError>("[", choice.strategy, "] got labels ", head.labels, "; expected at least ", *choice.labels,
                      ", the classes of the data");
  if (head.labels == 0) head.labels = choice.labels.value_or(0);
  if constexpr (std::is_same_v<Settings, ClassificationHead>) reading.settings = head;
  if (model.classifies && !trains_head(reading.settings)) reading.head = head;
  if (beside && model.classifies && !reading.head && choice.labels && *choice.labels != model.labels)
    fail<ConfigError>("[", choice.strategy, "] got head true for data of ", *choice.labels,
                      " classes; expected the model's own, ", model.labels,
                      "; hint: head false trains a new head beside the strategy");
  return reading;
}

template <class Settings>
[[nodiscard]] SettingUse use_of(Choice const& choice, Reading<Settings> const& reading, ModelInfo const& model) {
  SettingUse use;
  std::vector<SettingInfo> known;
  describe_settings(known, reading.settings);
  if (reading.head) describe_settings(known, *reading.head, "head.");
  for (auto const& info : known)
    if (reading.reads(info.name, model)) use.read.push_back(info.name);
  for (std::size_t i = 0; i < choice.settings.size(); ++i)
    if (std::none_of(reading.full[i].begin(), reading.full[i].end(),
                     [&](std::string const& name) { return reading.reads(name, model); }))
      use.unread.push_back(choice.settings[i].first);
  return use;
}

}  // namespace detail

/// As `setting_use`, of a list of strategies.
template <class List>
[[nodiscard]] SettingUse setting_use_of(Choice const& choice, ModelInfo const& model) {
  SettingUse use;
  detail::with_entry<List>(choice.strategy, [&]<class Entry>() {
    use = detail::use_of(choice, detail::read_choice<Entry>(choice, model), model);
  });
  return use;
}

/// The given setting without which `unread` would have an effect; empty if there is none.
template <class List>
[[nodiscard]] std::string replaced_by_of(Choice const& choice, std::string const& unread, ModelInfo const& model) {
  for (auto const& [name, text] : choice.settings) {
    if (name == unread) continue;
    Choice without = choice;
    std::erase_if(without.settings, [&, &other = name](auto const& setting) { return setting.first == other; });
    auto const still = setting_use_of<List>(without, model).unread;
    if (std::find(still.begin(), still.end(), unread) == still.end()) return name;
  }
  return {};
}

template <class List>
Chosen<List> choose(Choice const& choice, ModelInfo const& model) {
  std::optional<Chosen<List>> chosen;
  detail::with_entry<List>(choice.strategy, [&]<class Entry>() {
    auto reading = detail::read_choice<Entry>(choice, model);
    if (auto const use = detail::use_of(choice, reading, model); !use.unread.empty()) {
      std::string const other = replaced_by_of<List>(choice, use.unread.front(), model);
      fail<ConfigError>("[", choice.strategy, "] got the setting ", use.unread.front(), ", which has no effect ",
                        other.empty() ? cat("on a ", model.architecture, " model") : "beside " + other,
                        "; expected it left out");
    }
    check_numbers(reading.settings);
    check_settings(reading.settings, model);
    if (reading.head) check_numbers(*reading.head), check_settings(*reading.head, model);
    chosen = Chosen<List>{std::move(reading.settings), reading.head};
  });
  return *std::move(chosen);
}

extern template std::vector<StrategyInfo> describe<Strategies>();
extern template SettingUse setting_use_of<Strategies>(Choice const&, ModelInfo const&);
extern template std::string replaced_by_of<Strategies>(Choice const&, std::string const&, ModelInfo const&);

}  // namespace graft::any
