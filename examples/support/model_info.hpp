/// @file
/// @brief The description of whatever model a configuration is of.
#pragma once

#include <filesystem>
#include <tuple>

#include <graft/io/load_pretrained.hpp>
#include <graft/io/model_config.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

namespace support {

inline graft::ModelInfo model_info(graft::ModelConfig const& config) {
  return [&]<class... A>(std::tuple<A...> const*) {
    graft::ModelInfo info;
    static_cast<void>(
        ((graft::covers<A>(config.architecture) ? (info = graft::describe_model<A>(config), true) : false) || ...));
    return info;
  }(static_cast<std::tuple<graft::Gpt2, graft::Llama, graft::T5, graft::T5v11, graft::Bart, graft::Bert,
                           graft::Roberta> const*>(nullptr));
}

/// Of a Hugging Face folder only config.json is read: the weights need not be there.
inline graft::ModelInfo model_info(std::filesystem::path const& model) {
  auto const file = model / "config.json";
  if (graft::is_file(file)) return model_info(graft::model_config(graft::read_json(file), file.string()));
  return model_info(graft::checkpoint_config(*graft::open_checkpoint(model)));
}

}  // namespace support
