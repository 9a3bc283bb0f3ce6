/// @file
/// @brief P_TUNING as PEFT writes it: `prompt_embeddings`, `[P·submodules, width]`, the encoder applied and gone.
#pragma once

#include <string>

#include <graft/adaptation/p_tuning.hpp>
#include <graft/io/peft/format.hpp>

namespace graft {

/// PEFT keeps the encoder's extents in the configuration, though not its weights.
template <>
struct PeftFormat<PTuning> {
  static constexpr char const* type = "P_TUNING";
  static constexpr char const* tensor_prefix = "";

  [[nodiscard]] static bool can_express(PTuning const& settings, ModelInfo const& model) {
    return settings.pooling == Pooling::first_virtual || !model.classifies;
  }
  template <class State>
  [[nodiscard]] static nlohmann::json config(PTuning const& settings, State& state, ModelInfo const& model) {
    auto const& stack = model.input();
    nlohmann::json config = detail::peft_config(type);
    config.update({{"encoder_dropout", settings.dropout},
                   {"encoder_hidden_size", settings.hidden > 0 ? settings.hidden : model.width},
                   {"encoder_num_layers", settings.layers},
                   {"encoder_reparameterization_type", settings.encoder == PromptEncoderKind::lstm ? "LSTM" : "MLP"},
                   {"num_attention_heads", stack.heads},
                   {"num_layers", stack.layers},
                   {"num_transformer_submodules", state.settings().submodules},
                   {"num_virtual_tokens", settings.length},
                   {"task_type", detail::peft_task(model)},
                   {"token_dim", model.width}});
    return config;
  }
  [[nodiscard]] static PTuning settings(AdapterFolder const& folder) {
    auto const& where = folder.config_path;
    auto const& config = folder.config;
    detail::check_peft_keys(
        folder, {{"encoder_dropout", "encoder_hidden_size", "encoder_num_layers", "encoder_reparameterization_type",
                  "num_attention_heads", "num_layers", "num_transformer_submodules", "num_virtual_tokens", "token_dim"},
                 {},
                 {}});
    std::string const kind = json_or<std::string>(where, config, "encoder_reparameterization_type", "MLP");
    if (kind != "MLP" && kind != "LSTM")
      fail<FileError>("[", where, "] has the encoder_reparameterization_type ", printable(kind),
                      "; expected MLP or LSTM");
    return {.length = detail::positive_size(folder, "num_virtual_tokens"),
            .encoder = kind == "LSTM" ? PromptEncoderKind::lstm : PromptEncoderKind::mlp,
            .hidden = json_or<std::int64_t>(where, config, "encoder_hidden_size", 0),
            .layers = detail::number_or<std::int64_t>(folder, "encoder_num_layers", 2),
            .dropout = detail::number_or<double>(folder, "encoder_dropout", 0.0),
            .submodules = json_or<std::int64_t>(where, config, "num_transformer_submodules", 0),
            .flat = true};
  }
  static void check(AdapterFolder const& folder, ModelInfo const& model) {
    detail::refuse_modules(folder);
    detail::check_task(folder, model);
    auto const& stack = model.input();
    detail::check_size(folder, model, "num_layers", stack.layers);
    detail::check_size(folder, model, "token_dim", model.width);
    detail::check_size(folder, model, "num_attention_heads", stack.heads);
  }
};

}  // namespace graft
