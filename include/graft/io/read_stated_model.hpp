/// @file
/// @brief What stated_model.hpp declares, once in graft::compiled.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/warning.hpp>
#include <graft/io/checkpoint.hpp>
#include <graft/io/generation_config.hpp>
#include <graft/io/model_config.hpp>
#include <graft/io/stored_names.hpp>
#include <graft/io/stored_sites.hpp>
#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>

namespace graft::detail {

template <class>
[[nodiscard]] StatedConfig stated_config(Checkpoint const& checkpoint) {
  nlohmann::json json = checkpoint.config();
  ModelConfig config = model_config(json, checkpoint.path());
  return {std::move(json), std::move(config)};
}

template <class>
[[nodiscard]] ModelConfig completed_config(Checkpoint const& checkpoint, StatedConfig const& stated) {
  auto const& json = stated.json;
  ModelConfig config = stated.config;
  if (config.tied_head && head_differs(checkpoint, config)) {
    config.tied_head = false;
    if (json.value("tie_word_embeddings", nlohmann::json(true)) != false)
      warn("[", checkpoint.path(), "] has a head lm_head.weight that differs from the embedding, to which its ",
           "configuration ties it; the head is used, as in transformers; hint: tie_word_embeddings false says so");
  }
  apply_generation_config(config, generation_config(checkpoint.path(), json));
  return config;
}

template <class>
[[nodiscard]] std::string main_storage(Checkpoint const& checkpoint) {
  std::map<std::string, double> values;
  for (auto const& name : checkpoint.names()) {
    double size = 1;
    for (auto const extent : checkpoint.entry(name).shape) size *= static_cast<double>(extent);
    values[checkpoint.storage(name)] += size;
  }
  std::string most;
  for (auto const& [storage, size] : values)
    if (most.empty() || size > values.at(most)) most = storage;
  return most == "F32" ? "float32" : most == "F16" ? "float16" : most == "BF16" ? "bfloat16" : most;
}

[[nodiscard]] inline SiteNames names_of(SiteInfo const& site, StoredNames& stored) {
  if (site.tied) return {};
  if (site.role == Role::buffer) return {stored(site.name), {}};
  return {stored(site.name + ".weight"), site.bias ? stored(site.name + ".bias") : std::string()};
}

template <class>
[[nodiscard]] StoredSites stored_sites(Checkpoint const& checkpoint, ModelConfig const& config, bool tied,
                                       std::vector<SiteInfo> const& sites) {
  StoredNames stored(checkpoint, config, tied);
  StoredSites result;
  result.names.reserve(sites.size());
  for (SiteInfo const& site : sites) result.names.push_back(names_of(site, stored));
  result.unread = stored.unread();
  return result;
}

}  // namespace graft::detail
