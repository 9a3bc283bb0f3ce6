/// @file
/// @brief Which modules a list of names means, as Hugging Face PEFT reads such lists.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/nn/model_info.hpp>

namespace graft {

/// Whether `target` is the module's name or its last components: `c_proj` and `mlp.c_proj`, but not `proj`, name
/// `transformer.h.0.mlp.c_proj`.
[[nodiscard]] inline bool names_module(std::string_view target, std::string_view module) {
  if (target.empty() || !module.ends_with(target)) return false;
  return module.size() == target.size() || module[module.size() - target.size() - 1] == '.';
}
/// Whether one of them does.
[[nodiscard]] inline bool names_module(std::vector<std::string> const& targets, std::string_view module) {
  return std::any_of(targets.begin(), targets.end(),
                     [&](std::string const& target) { return names_module(target, module); });
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

namespace detail {

/// A target for a message: its beginning, without control characters.
[[nodiscard]] inline std::string shown_target(std::string_view target) {
  if (target.empty()) return "an empty name";
  std::string text(target.substr(0, 96));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return text;
}

/// What a target is that names no linear map, and what trains it: `which is the head`, `; hint: …`.
struct RefusedTarget {
  char const* is;
  char const* hint;
};
[[nodiscard]] inline RefusedTarget refused_target(std::string_view target, ModelInfo const& model) {
  RefusedTarget const head{"which is the head",
                           "; hint: FullFineTuning, TopLayers or a ClassificationHead train a head"};
  RefusedTarget const embedding{"which is an embedding",
                                "; hint: FullFineTuning trains embeddings, PromptTuning adds some"};
  for (auto const& site : model.sites) {
    if (!names_module(target, site.name)) continue;
    if (site.role == Role::head) return head;
    return site.role == Role::embedding ? embedding : RefusedTarget{"which is no linear map", ""};
  }
  // A tied head or embedding may have another name in this model's checkpoints.
  for (char const* name : {"lm_head", "classifier", "score"})
    if (names_module(name, target)) return head;
  for (char const* name : {"embed_tokens", "word_embeddings", "wte", "shared"})
    if (names_module(name, target)) return embedding;
  return {"which names no module", ""};
}

}  // namespace detail

/// Whether a target means a linear map of the model.
[[nodiscard]] inline bool names_linear_map(std::string_view target, ModelInfo const& model) {
  return std::any_of(model.sites.begin(), model.sites.end(), [&](SiteInfo const& site) {
    return site.role == Role::weight && names_module(target, site.name);
  });
}

/// Refuses targets that name no linear map of the model, each by its name, also beside others that do.
/// @param strategy for the message: "lora"
/// @throws ConfigError
inline void require_modules(std::string_view strategy, std::vector<std::string> const& targets,
                            ModelInfo const& model) {
  for (auto const& target : targets) {
    if (names_linear_map(target, model)) continue;
    auto const refused = detail::refused_target(target, model);
    fail<ConfigError>("[", strategy, "] got the target ", detail::shown_target(target), ", ", refused.is, " of this ",
                      model.architecture, " model; expected some of ", module_choices(model), refused.hint);
  }
}

/// The linear maps that a strategy acts on, in the model's order: those that the targets name, or without targets those
/// of some sites.
/// @throws ConfigError for a target that names none, and where there is none at all
[[nodiscard]] inline std::vector<SiteInfo> target_sites(std::string_view strategy,
                                                        std::vector<std::string> const& targets,
                                                        std::span<Site const> by_default, ModelInfo const& model) {
  require_modules(strategy, targets, model);
  std::vector<SiteInfo> sites;
  for (auto const& site : model.sites) {
    bool const meant = targets.empty()
                           ? std::find(by_default.begin(), by_default.end(), site.address.site) != by_default.end()
                           : names_module(targets, site.name);
    if (site.role == Role::weight && meant) sites.push_back(site);
  }
  if (sites.empty())
    fail<ConfigError>("[", strategy, "] got targets that name no linear map of this ", model.architecture,
                      " model; expected some of ", module_choices(model));
  return sites;
}

}  // namespace graft
