/// @file
/// @brief LORA as PEFT writes it: for each module base_model.model.MODULE.lora_A.weight, [r, in], and lora_B.weight,
/// [out, r].
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <graft/adaptation/lora.hpp>
#include <graft/core/numbers.hpp>
#include <graft/io/peft/format.hpp>
#include <graft/io/peft/selection.hpp>

namespace graft {

template <>
struct PeftFormat<LoRA> {
  static constexpr char const* type = "LORA";
  static constexpr char const* tensor_prefix = "base_model.model.";

  [[nodiscard]] static bool can_express(LoRA const&, ModelInfo const&) { return true; }
  template <class State>
  [[nodiscard]] static nlohmann::json config(LoRA const& settings, State& state, ModelInfo const& model) {
    bool turned = false;
    for (auto const& unit : state.units()) turned = turned || unit.layout == Layout::in_out;
    nlohmann::json config = detail::peft_config(type);
    for (char const* key :
         {"alora_invocation_tokens", "arrow_config", "corda_config", "eva_config", "exclude_modules", "kasa_config",
          "layer_replication", "layers_pattern", "layers_to_transform", "lora_ga_config", "megatron_config",
          "monteclora_config", "target_parameters", "trainable_token_indices", "use_bdlora", "velora_config"})
      config[key] = nullptr;
    for (char const* key : {"alpha_pattern", "loftq_config", "rank_pattern"}) config[key] = nlohmann::json::object();
    for (char const* key : {"ensure_weight_tying", "lora_bias", "use_dora", "use_qalora"}) config[key] = false;
    config.update({{"bias", "none"},
                   {"fan_in_fan_out", turned},
                   {"init_lora_weights", true},
                   {"lora_alpha", number(settings.alpha)},
                   {"lora_dropout", settings.dropout},
                   {"megatron_core", "megatron.core"},
                   {"qalora_group_size", 16},
                   {"r", settings.rank},
                   {"target_modules", targets(settings, state, model)},
                   {"task_type", model.classifies ? nlohmann::json() : nlohmann::json(detail::peft_task(model))},
                   {"use_rslora", settings.rank_stabilized}});
    return config;
  }

  [[nodiscard]] static LoRA settings(AdapterFolder const& folder) {
    check_supported(folder);
    auto const& where = folder.config_path;
    auto const& config = folder.config;
    LoRA settings{.rank = detail::number_or<std::int64_t>(folder, "r", 8),
                  .alpha = detail::number_or<double>(folder, "lora_alpha", 8.0),
                  .dropout = detail::number_or<double>(folder, "lora_dropout", 0.0),
                  .rank_stabilized = json_or<bool>(where, config, "use_rslora", false)};
    if (settings.rank < 1 || !fits_float(settings.alpha))
      fail<FileError>("[", where, "] has r ", settings.rank, " and lora_alpha ", settings.alpha,
                      "; expected r of at least 1");
    bool selected = false;  // by more than names: then the file says which modules it has
    for (char const* key : {"exclude_modules", "layers_to_transform", "layers_pattern"})
      selected = selected || detail::is_set(config, key);
    bool const named = !detail::is_left_out(config, "target_modules") && !config.at("target_modules").is_string();
    if (selected || !named)
      settings.targets = modules(folder.tensors());
    else
      settings.targets = json_or<std::vector<std::string>>(where, config, "target_modules", {});
    return settings;
  }
  /// The tensors' names and shapes say the rest.
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    auto const held = modules(folder.tensors());
    detail::PeftSelection(folder).check(held, model);
    if (detail::is_left_out(folder.config, "target_modules"))
      warn("[", folder.config_path,
           "] has no target_modules, which leaves the choice to PEFT's version; the file's matrices say which: ",
           held.size(), " modules");
  }

 private:
  /// As PEFT, whose alpha is an integer.
  [[nodiscard]] static nlohmann::json number(double value) {
    if (value == std::floor(value) && std::abs(value) < 1e15) return static_cast<std::int64_t>(value);
    return value;
  }
  /// The targets, or the modules' last names if none were given.
  template <class State>
  [[nodiscard]] static std::vector<std::string> targets(LoRA const& settings, State& state, ModelInfo const& model) {
    std::vector<std::string> names;
    auto const add = [&](std::string const& name) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (auto const& target : settings.targets) add(target);
    if (settings.targets.empty())
      for (auto const& unit : state.units()) add(model.find(unit.site)->short_name);
    return names;
  }
  /// Full names of the modules that a file has matrices for.
  [[nodiscard]] static std::vector<std::string> modules(SafetensorsFile const& file) {
    std::vector<std::string> names;
    std::string_view const before = tensor_prefix, after = ".lora_A.weight";
    for (auto const& entry : file.entries())
      if (entry.name.starts_with(before) && entry.name.ends_with(after) &&
          entry.name.size() > before.size() + after.size())
        names.push_back(entry.name.substr(before.size(), entry.name.size() - before.size() - after.size()));
    if (names.empty())
      fail<FileError>("[", file.path(), "] holds no LoRA matrices; got ", file.entries().size(),
                      " tensors; expected base_model.model.….lora_A.weight");
    return names;
  }
  /// Refuses variants that compute something else than x·Wᵀ + scale·(x·Aᵀ)·Bᵀ, or start from another base.
  static void check_supported(AdapterFolder const& folder) {
    detail::refuse_modules(folder);
    detail::refuse_no_targets(folder);
    detail::check_peft_keys(
        folder, {{"bias", "exclude_modules", "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha",
                  "lora_dropout", "r", "target_modules", "use_rslora"},
                 {"alora_invocation_tokens", "alpha_pattern", "arrow_config", "kasa_config", "layer_replication",
                  "lora_bias", "megatron_config", "monteclora_config", "rank_pattern", "target_parameters",
                  "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora", "velora_config"},
                 {"corda_config", "ensure_weight_tying", "eva_config", "fan_in_fan_out", "loftq_config",
                  "lora_ga_config", "megatron_core", "qalora_group_size", "runtime_config"}});
    std::string const bias = json_or<std::string>(folder.config_path, folder.config, "bias", "none");
    if (bias != "none")
      fail<FileError>("[", folder.config_path, "] trains biases beside LoRA, which is not supported; got bias ",
                      printable(bias), "; expected none");
    auto const start = folder.config.find("init_lora_weights");
    if (start == folder.config.end() || !start->is_string() || *start == "gaussian" || *start == "orthogonal" ||
        *start == "eva")
      return;
    fail<FileError>("[", folder.config_path, "] belongs to a base that its init_lora_weights ",
                    detail::json_excerpt(*start),
                    " has changed; expected a start that leaves the base alone; hint: let PEFT convert it with "
                    "path_initial_model_for_weight_conversion");
  }
};

}  // namespace graft
