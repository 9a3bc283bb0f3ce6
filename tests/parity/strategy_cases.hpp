// Golden cases of strategies that PEFT has beside those in runner.hpp: (IA)³ and P-tuning.
#pragma once

#include <string>
#include <vector>

#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/p_tuning.hpp>

#include "golden_case.hpp"

namespace parity {

/// Settings of the case's adapter folder.
inline graft::IA3 ia3_settings(GoldenCase const& golden) {
  auto const json = graft::read_json(golden.folder / "adapter" / "adapter_config.json");
  using Names = std::vector<std::string>;
  return {.targets = json.at("target_modules").get<Names>(),
          .feed_forward_targets = json.at("feedforward_modules").get<Names>()};
}
inline graft::PTuning p_tuning_settings(GoldenCase const& golden) {
  auto const json = graft::read_json(golden.folder / "adapter" / "adapter_config.json");
  bool const lstm = json.at("encoder_reparameterization_type") == "LSTM";
  return {.length = json.at("num_virtual_tokens").get<Index>(),
          .encoder = lstm ? graft::PromptEncoderKind::lstm : graft::PromptEncoderKind::mlp,
          .hidden = json.at("encoder_hidden_size").get<Index>(),
          .layers = json.at("encoder_num_layers").get<Index>(),
          .submodules = json.at("num_transformer_submodules").get<Index>()};
}

/// Runs a case of these by `check(settings, expected, prefix of the classifier's names)`; whether it is one.
template <class Check>
bool run_strategy_case(GoldenCase const& golden, Check const& check) {
  auto const named = [&golden](std::string const& prefix, std::string const& suffix) {
    return [&golden, prefix, suffix](std::string const& kind, std::string const& name) {
      return golden.at(kind + "." + prefix + name + suffix);
    };
  };
  if (golden.method == "ia3")
    return check(ia3_settings(golden), named("base_model.model.", ".default"), "base_model.model.");
  if (golden.method == "p_tuning_mlp" || golden.method == "p_tuning_lstm")
    return check(p_tuning_settings(golden), named("prompt_encoder.default.", ""), "base_model.");
  return false;
}

}  // namespace parity
