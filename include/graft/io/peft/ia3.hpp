/// @file
/// @brief IA3 as PEFT writes it: for each module base_model.model.MODULE.ia3_l, `[out, 1]`, or for feed-forward modules
/// `[1, in]`.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <graft/adaptation/ia3.hpp>
#include <graft/io/peft/format.hpp>
#include <graft/io/peft/selection.hpp>
#include <graft/io/peft/task.hpp>

namespace graft {

template <>
struct PeftFormat<IA3> {
  static constexpr char const* type = "IA3";
  static constexpr char const* tensor_prefix = "base_model.model.";

  [[nodiscard]] static bool can_express(IA3 const&, ModelInfo const&) { return true; }
  template <class State>
  [[nodiscard]] static nlohmann::json config(IA3 const& settings, State& state, ModelInfo const& model) {
    bool turned = false;
    for (auto const& unit : state.units()) turned = turned || unit.layout == Layout::in_out;
    IA3 names = settings;
    if (settings.targets.empty() && settings.feed_forward_targets.empty()) names = shortest_names(state, model);
    for (auto const& target : names.feed_forward_targets) add(target, names.targets);  // PEFT wants them in both lists
    nlohmann::json config = detail::peft_config(type);
    config.update({{"exclude_modules", nullptr},
                   {"fan_in_fan_out", turned},
                   {"feedforward_modules", names.feed_forward_targets},
                   {"init_ia3_weights", true},
                   {"target_modules", names.targets},
                   {"task_type", model.classifies ? nlohmann::json() : nlohmann::json(detail::peft_task(model))}});
    return config;
  }

  [[nodiscard]] static IA3 settings(AdapterFolder const& folder) {
    detail::refuse_modules(folder);
    detail::refuse_no_targets(folder);
    detail::check_peft_keys(
        folder,
        {{"exclude_modules", "feedforward_modules", "target_modules"}, {}, {"fan_in_fan_out", "init_ia3_weights"}});
    auto const& where = folder.config_path;
    auto const& config = folder.config;
    if (!listed(folder))
      return modules(folder.tensors());  // a pattern, or PEFT's own choice: then the file says which modules it has
    IA3 const names{.targets = json_at<std::vector<std::string>>(where, config, "target_modules"),
                    .feed_forward_targets = json_at<std::vector<std::string>>(where, config, "feedforward_modules")};
    for (auto const& name : names.feed_forward_targets)
      if (std::find(names.targets.begin(), names.targets.end(), name) == names.targets.end())
        fail<FileError>("[", where, "] has ", printable(name),
                        " in feedforward_modules that is not in target_modules, which PEFT refuses; ",
                        "expected a subset of target_modules");
    return names;
  }
  /// The tensors' names and shapes say the rest.
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    IA3 const held = modules(folder.tensors());
    auto all = held.targets;
    all.insert(all.end(), held.feed_forward_targets.begin(), held.feed_forward_targets.end());
    detail::NamesOrPattern const scaled(folder, "feedforward_modules");
    detail::PeftSelection(folder).check(all, model, !listed(folder));
    detail::warn_of_pattern(folder, "feedforward_modules", scaled);
    auto const absent = [&](char const* key) { return detail::is_left_out(folder.config, key); };
    for (char const* const key : {"target_modules", "feedforward_modules"})
      if (absent(key))
        warn("[", folder.config_path, "] has no ", key,
             ", which leaves the choice to PEFT's version; the file's vectors say which: ", all.size(), " modules, ",
             held.feed_forward_targets.size(), " of them scaled at their inputs");
    // Without feedforward_modules PEFT chooses them, as it chooses the targets: the tensors' shapes have told inputs
    // from outputs.
    if (listed(folder) || !scaled.evaluable() || absent("feedforward_modules")) return;
    auto const means_input = [&](std::string const& module) {  // of names PEFT compares the ends
      auto const& names = scaled.names();
      return scaled.is_pattern()
                 ? scaled.mean(module)
                 : std::any_of(names.begin(), names.end(), [&](auto const& name) { return module.ends_with(name); });
    };
    for (bool const input : {false, true})
      for (auto const& module : input ? held.feed_forward_targets : held.targets)
        if (means_input(module) != input)
          fail<FileError>("[", folder.config_path, "] does not belong to its tensors; got a vector for ",
                          input ? "inputs" : "outputs", " of ", printable(module), ", where feedforward_modules says ",
                          input ? "outputs" : "inputs");
  }

 private:
  /// Whether names alone say which modules there are, in both lists.
  [[nodiscard]] static bool listed(AdapterFolder const& folder) {
    auto const is_list = [&](char const* key) {
      auto const found = folder.config.find(key);
      return found != folder.config.end() && !found->is_null() && !found->is_string();
    };
    return !detail::is_set(folder.config, "exclude_modules") && is_list("target_modules") &&
           is_list("feedforward_modules");
  }
  static void add(std::string const& name, std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  /// For every target the fewest last components that mean targets of its kind and nothing else.
  template <class State>
  [[nodiscard]] static IA3 shortest_names(State const& state, ModelInfo const& model) {
    IA3 names;
    for (auto const& unit : state.units()) {
      std::string const& whole = model.find(unit.site)->name;
      std::size_t begin = whole.rfind('.');
      auto const suffix = [&] { return begin == std::string::npos ? whole : whole.substr(begin + 1); };
      while (begin != std::string::npos && !means(suffix(), unit.scales_input, state, model))
        begin = begin == 0 ? std::string::npos : whole.rfind('.', begin - 1);
      add(suffix(), unit.scales_input ? names.feed_forward_targets : names.targets);
    }
    return names;
  }
  template <class State>
  [[nodiscard]] static bool means(std::string const& target, bool scales_input, State const& state,
                                  ModelInfo const& model) {
    return std::all_of(model.sites.begin(), model.sites.end(), [&](SiteInfo const& site) {
      auto const unit = std::find_if(state.units().begin(), state.units().end(),
                                     [&](auto const& u) { return u.site == site.address; });
      bool const other = unit == state.units().end() || unit->scales_input != scales_input;
      if (names_module(target, site.name)) return !other;
      // as PEFT looks for feed-forward modules
      return !(scales_input && unit != state.units().end() && other && site.name.ends_with(target));
    });
  }
  /// Full names of the modules that a file has vectors for.
  [[nodiscard]] static IA3 modules(SafetensorsFile const& file) {
    IA3 names;
    std::string_view const before = tensor_prefix, after = ".ia3_l";
    for (auto const& entry : file.entries()) {
      if (!entry.name.starts_with(before) || !entry.name.ends_with(after) ||
          entry.name.size() <= before.size() + after.size())
        continue;
      std::string const module = entry.name.substr(before.size(), entry.name.size() - before.size() - after.size());
      bool const input = entry.shape.size() == 2 && entry.shape[0] == 1 && entry.shape[1] != 1;
      (input ? names.feed_forward_targets : names.targets).push_back(module);
    }
    if (names.targets.empty() && names.feed_forward_targets.empty())
      fail<FileError>("[", file.path(), "] holds no (IA)³ vectors; got ", file.entries().size(),
                      " tensors; expected base_model.model.….ia3_l");
    return names;
  }
};

}  // namespace graft
