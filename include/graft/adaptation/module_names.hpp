/// @file
/// @brief Which modules a list of names means, as Hugging Face PEFT reads such lists.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <graft/nn/model_info.hpp>

namespace graft {

/// Whether `target` is the module's name or its last components: `c_proj` and `mlp.c_proj`, but not `proj`, name `transformer.h.0.mlp.c_proj`.
[[nodiscard]] inline bool names_module(std::string_view target, std::string_view module) {
  if (target.empty() || !module.ends_with(target)) return false;
  return module.size() == target.size() || module[module.size() - target.size() - 1] == '.';
}
/// Whether one of them does.
[[nodiscard]] inline bool names_module(std::vector<std::string> const& targets, std::string_view module) {
  return std::any_of(targets.begin(), targets.end(), [&](std::string const& target) { return names_module(target, module); });
}

/// The last components of all linear maps' names, once each, for messages: `q_proj, k_proj, …`.
[[nodiscard]] inline std::string module_choices(ModelInfo const& model) {
  std::vector<std::string> seen;
  std::string text;
  for (auto const& site : model.sites) {
    if (site.role != Role::weight || std::find(seen.begin(), seen.end(), site.short_name) != seen.end()) continue;
    seen.push_back(site.short_name);
    text += (text.empty() ? "" : ", ") + site.short_name;
  }
  return text;
}

}  // namespace graft
