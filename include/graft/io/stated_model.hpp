/// @file
/// @brief What a checkpoint states of its model before a tensor is read: its configuration, and where each site's
/// tensors are.
#pragma once

#include <string>
#include <vector>

#include <graft/io/checkpoint.hpp>
#include <graft/io/stored_sites.hpp>
#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>

namespace graft::detail {

// Their bodies are in read_stated_model.hpp.
template <class>
[[nodiscard]] StatedConfig stated_config(Checkpoint const& checkpoint);
/// `checkpoint_config` of a configuration that has been parsed.
template <class>
[[nodiscard]] ModelConfig completed_config(Checkpoint const& checkpoint, StatedConfig const& stated);
/// How a checkpoint stores most of its values, with one spelling for GGUF's and safetensors' plain types.
template <class>
[[nodiscard]] std::string main_storage(Checkpoint const& checkpoint);
/// @param tied whether the configuration lets the head and the stacks' embeddings stand in for each other
template <class>
[[nodiscard]] StoredSites stored_sites(Checkpoint const& checkpoint, ModelConfig const& config, bool tied,
                                       std::vector<SiteInfo> const& sites);
#ifdef GRAFT_COMPILED_IO
extern template StatedConfig stated_config<void>(Checkpoint const&);
extern template ModelConfig completed_config<void>(Checkpoint const&, StatedConfig const&);
extern template std::string main_storage<void>(Checkpoint const&);
extern template StoredSites stored_sites<void>(Checkpoint const&, ModelConfig const&, bool,
                                               std::vector<SiteInfo> const&);
#endif

}  // namespace graft::detail

#ifndef GRAFT_COMPILED_IO
#include <graft/io/read_stated_model.hpp>
#endif
