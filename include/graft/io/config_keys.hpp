/// @file
/// @brief The table of config.json's keys for every architecture.
#pragma once

#include <array>
#include <string_view>

#include <graft/io/config_keys_decoders.hpp>
#include <graft/io/config_keys_encoders.hpp>

namespace graft {

/// The values of `model_type` that are read.
inline constexpr std::array<std::string_view, 8> model_types = {"bart",    "bert",  "gpt2",    "llama",
                                                                "mistral", "qwen2", "roberta", "t5"};

/// The keys of checkpoints of this `model_type`: its own first, then those that all have. A key that stands nowhere
/// here has no effect, and a warning says so.
[[nodiscard]] inline ConfigKeys config_keys(std::string_view model_type) {
  ConfigKeys keys = model_type == "gpt2"                              ? detail::gpt2_keys()
                    : model_type == "t5"                              ? detail::t5_keys()
                    : model_type == "bart"                            ? detail::bart_keys()
                    : model_type == "bert" || model_type == "roberta" ? detail::bert_keys()
                                                                      : detail::llama_keys(model_type);
  detail::add_common_keys(keys);
  return keys;
}

}  // namespace graft
