/// @file
/// @brief What a checkpoint states of its model, as values: its configuration, and where its tensors are.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/models/config.hpp>

namespace graft::detail {

/// A checkpoint's configuration, parsed once: its JSON, and what that says of the model.
struct StatedConfig {
  nlohmann::json json;
  ModelConfig config;
};

/// Where a checkpoint has the tensors of a site.
struct SiteNames {
  std::string weight, bias;
};

/// Where a checkpoint has the tensors of all sites, in their order.
struct StoredSites {
  std::vector<SiteNames> names;
  std::string unread;  ///< a sentence on tensors that nobody reads; empty where all are read
};

}  // namespace graft::detail
