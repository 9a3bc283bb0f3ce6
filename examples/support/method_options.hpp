/// @file
/// @brief A strategy and its settings on the command line.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/text/tokenizer.hpp>

#include "any_model/method.hpp"
#include "support/option_group.hpp"
#include "support/program.hpp"

namespace support {

/// What is known of the strategy of that name. @throws ConfigError if there is none
inline any_model::MethodInfo const& method_info(std::string const& name) {
  std::string names;
  for (auto const& info : any_model::method_infos()) {
    if (name == info.name) return info;
    names += (names.empty() ? "" : ", ") + std::string(info.name);
  }
  graft::fail<graft::ConfigError>("[method] got '", name, "'; expected one of ", names);
}

inline std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (auto const& info : any_model::method_infos()) names.emplace_back(info.name);
  return names;
}

/// The settings of a strategy as options; `apply_words` completes them when the tokenizer is there.
class MethodOptions {
 public:
  void add_to(CLI::App& app) {
    OptionGroup const option(app, "Strategy");
    auto const& choices = any_model::method_choices();
    std::string names = "Strategy:";
    for (auto const& info : any_model::method_infos()) names += std::string("\n  ") + info.name + ": " + info.summary;
    option("--method", method.name, names, CLI::IsMember(method_names()));
    auto const positive = positive_number();
    option("--length", method.length, "Virtual tokens (default: 10; prompt and p_tuning 20)", positive);
    option("--hidden", method.hidden,
           "Hidden width of the MLP reparametrization (default: 512; p_tuning the model's width)", positive);
    option("--init", method.init, "Start of virtual tokens (default: normal; prompt and embedding vocabulary)",
           CLI::IsMember(choices.init));
    option("--init-text", text_, "Text whose tokens the virtual tokens start from (implies --init words)");
    option("--init-deviation", method.init_deviation, "Size of random starts (default: 0.02)", number_from_zero());
    option("--dropout", method.dropout, "Dropout on the strategy's own activations while training (default: 0)");
    option("--rank", method.rank, "LoRA's rank (default: 8)", positive);
    option("--alpha", method.alpha, "LoRA's alpha (default: 16)");
    option("--targets", method.targets,
           "Modules of lora (default: the query and value products) or ia3 (default: keys, values and the "
           "feed-forward's inputs), parted "
           "by commas")
        ->delimiter(',');
    option("--bottleneck", method.bottleneck, "Width of bottleneck and parallel adapters (default: 64)", positive);
    option("--share", method.share,
           "Size of bottleneck adapters as a share of the model's parameters, in place of --bottleneck", positive);
    option("--placement", method.placement, "Of bottleneck adapters (default: between_layers)",
           CLI::IsMember(choices.placement));
    option("--layers", method.layers,
           "Topmost layers that are trained (top_layers, default: 2) or get a prefix or infix (default: all)",
           positive);
  }
  /// Options that only some models have.
  void add_encoder_options(CLI::App& app) {
    OptionGroup const option(app, "Strategy");
    auto const& choices = any_model::method_choices();
    option("--scope", method.scope,
           "Of a prefix in an encoder-decoder: all attentions, decoder (its self-attention), or peft_decoder (PEFT's "
           "layout) (default: all)",
           CLI::IsMember(choices.scope));
    option("--positions", method.positions,
           "Whether tokens behind virtual ones shift (default: automatic: keep with learned positions in an "
           "encoder-decoder)",
           CLI::IsMember(choices.positions));
    option("--side", method.side,
           "Of virtual tokens in an encoder-decoder: source (the encoder), target (the decoder), or both, each its own "
           "(default: source)",
           CLI::IsMember(choices.side));
    option("--place", method.place, "Of virtual tokens: front, or infix (an encoder's end) (default: front)",
           CLI::IsMember(choices.place));
  }
  /// Refuses options that the strategy does not read for this model.
  void check(graft::ModelInfo const& model) const {
    any_model::Method asked = method;
    if (text_) {
      if (text_->empty()) throw UsageError("--init-text is empty; expected the words to start from");
      if (asked.init.value_or("words") != "words")
        throw UsageError("--init-text goes with --init words; got --init " + *asked.init);
      asked.init = "words", asked.init_words = {{0}};
    } else if (asked.init == "words") {
      throw UsageError("--init words wants --init-text, the words to start from");
    }
    auto const use = any_model::setting_use(asked, model);
    for (auto const& option : use.unread) {
      if (option == "--init" && !method.init) continue;  // it was implied
      if (auto const other = replaces(asked, option, model); !other.empty())
        throw UsageError(option + " has no effect beside " +
                         (other == "--init" && !method.init ? "--init-text" : other) +
                         ", which stands in its place; leave one of them out");
      std::string read;
      for (auto const& one : use.read) read += (read.empty() ? "; it reads " : ", ") + one;
      throw UsageError(option + " has no effect with --method " + method.name + " on a " + model.architecture +
                       " model" + read + "; leave it out");
    }
    if (method.alpha == 0.0)
      throw UsageError(
          "--alpha 0 would make LoRA without effect, for its change is scaled by alpha / rank; expected another "
          "number");
  }
  void apply_words(graft::Tokenizer const& tokenizer) {
    apply_words([&](std::string const& text) { return tokenizer.encode(text); });
  }
  void apply_words(std::function<std::vector<graft::Token>(std::string const&)> const& encode) {
    if (!text_) return;
    if (!method.init) method.init = "words";
    if (*method.init != "words") throw UsageError("--init-text goes with --init words; got --init " + *method.init);
    for (graft::Token token : encode(*text_)) method.init_words.push_back({token});
  }

  any_model::Method method;

 private:
  /// The option without which the strategy would read `unread`; empty if there is none.
  [[nodiscard]] static std::string replaces(any_model::Method const& asked, std::string const& unread,
                                            graft::ModelInfo const& model) {
    std::vector<std::string> given;
    any_model::each_setting(asked, [&](char const* option, auto const& setting) {
      if (setting != std::remove_cvref_t<decltype(setting)>{} && option != unread) given.emplace_back(option);
    });
    for (auto const& one : given) {
      any_model::Method without = asked;
      any_model::each_setting(without, [&](char const* option, auto& setting) {
        if (option == one) setting = {};
      });
      auto const read = any_model::setting_use(without, model).read;
      if (std::find(read.begin(), read.end(), unread) != read.end()) return one;
    }
    return {};
  }

  std::optional<std::string> text_;
};

}  // namespace support
