/// @file
/// @brief The strategies that the programs offer by name, with the settings of the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <graft/core/types.hpp>
#include <graft/nn/model_info.hpp>

namespace any_model {

/// One setting of every strategy that the programs can change; a strategy reads those it knows.
struct Method {
  std::string name = "prefix";         ///< one of `method_names()`
  std::optional<graft::Index> length;  ///< virtual tokens
  std::optional<graft::Index> hidden;  ///< of the MLP reparametrization
  std::optional<std::string> init;     ///< normal, uniform, vocabulary, words
  std::vector<std::vector<graft::Token>> init_words;
  std::optional<double> init_deviation;
  std::optional<double> dropout;
  std::optional<graft::Index> rank;
  std::optional<double> alpha;
  std::vector<std::string> targets;
  std::optional<graft::Index> bottleneck;
  std::optional<double> share;
  std::optional<std::string> placement;  ///< between_layers, houlsby, pfeiffer
  std::optional<graft::Index>
      layers;  ///< of top_layers; of prefix and infix, how many of the topmost layers get a bank
  std::optional<graft::Index> labels;    ///< classes of a classification head (default: the model's)
  std::optional<std::string> scope;      ///< of a prefix in an encoder–decoder: all, decoder, peft_decoder
  std::optional<std::string> positions;  ///< of virtual tokens and keys: automatic, shift, keep
  std::optional<std::string> side;       ///< of virtual tokens in an encoder–decoder: source, target, both
  std::optional<std::string> place;      ///< of virtual tokens: front, infix
  std::uint64_t seed = 0;
};

/// Calls `f(option, setting)` for every setting that an option gives.
template <class Self, class F>
void each_setting(Self& method, F const& f) {
  f("--length", method.length), f("--hidden", method.hidden), f("--init", method.init),
      f("--init-text", method.init_words), f("--init-deviation", method.init_deviation);
  f("--dropout", method.dropout), f("--rank", method.rank), f("--alpha", method.alpha), f("--targets", method.targets),
      f("--bottleneck", method.bottleneck);
  f("--share", method.share), f("--placement", method.placement), f("--layers", method.layers),
      f("--scope", method.scope), f("--positions", method.positions);
  f("--side", method.side), f("--place", method.place);
}

/// Which options a strategy reads, and which of those that were given it does not.
struct SettingUse {
  std::vector<std::string> read, unread;
};
/// Of the method on a model. @throws ConfigError where the model has no such strategy
[[nodiscard]] SettingUse setting_use(Method const& method, graft::ModelInfo const& model);

/// What a strategy is called on the command line, what it is, and the learning rate that suits it on small data (tuned
/// on the generated set).
struct MethodInfo {
  char const* name;
  char const* summary;
  double learning_rate;
};

inline std::vector<MethodInfo> const& method_infos() {
  static std::vector<MethodInfo> const infos{
      {"none", "the base model as it is", 0.0},
      {"prefix", "prefix tuning, flat: keys and values before every layer's first token", 8e-2},
      {"prefix_mlp", "prefix tuning through an MLP that is dropped after training", 1e-3},
      {"prompt", "prompt tuning: virtual tokens in front of the input", 3e-2},
      {"infix", "infix tuning: keys and values between source and target", 8e-2},
      {"embedding", "embedding-only: virtual embeddings (with an MLP) through the frozen model", 5e-3},
      {"adapter", "bottleneck adapters between the layers", 1e-3},
      {"lora", "LoRA on the query and value products", 2e-3},
      {"bitfit", "the biases alone", 2e-3},
      {"top_layers", "fine-tuning of the top layers (FT-TOP2)", 3e-4},
      {"full", "full fine-tuning", 1e-4},
      {"head", "a classifier's head alone", 2e-3},
      {"prefix_lora", "prefix tuning and LoRA together", 2e-3},
      {"ia3", "(IA)³: vectors that scale keys, values and the feed-forward's inner activations", 1e-2},
      {"p_tuning", "P-tuning: virtual tokens through an MLP that is dropped after training", 1e-3},
      {"parallel_adapter", "adapters beside the feed-forwards", 1e-3},
      {"mam", "a prefix and parallel adapters together (mix and match)", 1e-3},
  };
  return infos;
}

/// The names that the settings given by name may have.
struct MethodChoices {
  std::vector<std::string> init, placement, scope, positions, side, place;
};
[[nodiscard]] MethodChoices const& method_choices();

/// Whether the programs offer a strategy for a model: an infix stands between a source and a target, which a classifier
/// lacks; only a classifier has a head.
inline bool exists(std::string const& method, graft::ModelInfo const& model) {
  if (model.classifies) return method != "infix" && method != "prefix_lora" && method != "mam";
  return method != "head";
}

}  // namespace any_model
