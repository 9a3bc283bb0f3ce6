/// @file
/// @brief A strategy and its settings on the command line.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/any/choice.hpp>
#include <graft/text/tokenizer.hpp>

#include "support/option_group.hpp"
#include "support/program.hpp"
#include "support/short_settings.hpp"
#include "support/strategy_help.hpp"

namespace support {

/// The strategy and its settings as options. `check` turns them into a choice when the model is known, and
/// `apply_words` completes it when the tokenizer is there.
class MethodOptions {
 public:
  void add_to(CLI::App& app) {
    OptionGroup const option(app, "Strategy");
    option("--method", choice.strategy, strategies_help(), CLI::IsMember(strategy_names()));
    auto const positive = positive_number();
    option("--length", short_.length, "Virtual tokens (default: 10; prompt and p_tuning 20)", positive);
    option("--hidden", short_.hidden,
           "Hidden width of the MLP reparametrization (default: 512; p_tuning the model's width)", positive);
    option("--init", short_.init, "Start of virtual tokens (default: normal; prompt and embedding vocabulary)",
           CLI::IsMember(setting_choices("prefix", "init")));
    option("--init-text", short_.init_text, "Text whose tokens the virtual tokens start from (implies --init words)");
    option("--init-deviation", short_.init_deviation, "Size of random starts (default: 0.02)", number_from_zero());
    option("--dropout", short_.dropout, "Dropout on the strategy's own activations while training (default: 0)");
    option("--rank", short_.rank, "LoRA's rank (default: 8)", positive);
    option("--alpha", short_.alpha, "LoRA's alpha (default: 16)");
    option("--targets", short_.targets,
           "Modules of lora (default: the query and value products) or ia3 (default: keys, values and the "
           "feed-forward's inputs), parted "
           "by commas")
        ->delimiter(',');
    option("--bottleneck", short_.bottleneck, "Width of bottleneck and parallel adapters (default: 64)", positive);
    option("--share", short_.share,
           "Size of bottleneck adapters as a share of the model's parameters, in place of --bottleneck", positive);
    option("--placement", short_.placement, "Of bottleneck adapters (default: between_layers)",
           CLI::IsMember(setting_choices("adapter", "placement")));
    option("--layers", short_.layers,
           "Topmost layers that are trained (top_layers, default: 2) or get a prefix or infix (default: all)",
           positive);
    option("--set", set_,
           "NAME=VALUE, any setting of the strategy by name; may be given several times. --list-settings shows them",
           assignment())
        ->allow_extra_args(false);
    add_settings_list(app);
  }
  /// Options that only some models have.
  void add_encoder_options(CLI::App& app) {
    OptionGroup const option(app, "Strategy");
    option("--scope", short_.scope,
           "Of a prefix in an encoder-decoder: all attentions, decoder (its self-attention), or peft_decoder (PEFT's "
           "layout) (default: all)",
           CLI::IsMember(setting_choices("prefix", "scope")));
    option("--positions", short_.positions,
           "Whether tokens behind virtual ones shift (default: automatic: keep with learned positions in an "
           "encoder-decoder)",
           CLI::IsMember(setting_choices("prefix", "positions")));
    option("--side", short_.side,
           "Of virtual tokens in an encoder-decoder: source (the encoder), target (the decoder), or both, each its own "
           "(default: source)",
           CLI::IsMember(setting_choices("prompt", "side")));
    option("--place", short_.place, "Of virtual tokens: front, or infix (an encoder's end) (default: front)",
           CLI::IsMember(setting_choices("prompt", "place")));
  }
  /// The value of a setting that is given by an option or by --set; empty if there is none.
  [[nodiscard]] std::optional<std::string> given(std::string const& setting) const {
    std::optional<std::string> value;
    for (auto const& [name, text] : choice.settings)
      if (name == setting || name.ends_with("." + setting)) value = text;
    return value;
  }
  /// A length of the caller's own, where none is given.
  void set_length(graft::Index length) {
    if (!short_.length && std::none_of(set_.begin(), set_.end(), [](std::string const& text) {
          auto const name = graft::any::parse_assignment(text).first;
          return name == "length" || name.ends_with(".length");
        }))
      short_.length = length;
  }
  /// Turns the options into the choice, and refuses those that the strategy does not read for this model.
  void check(graft::ModelInfo const& model) {
    if (short_.init_text && short_.init_text->empty())
      throw UsageError("--init-text is empty; expected the words to start from");
    if (short_.init_text && short_.init.value_or("words") != "words")
      throw UsageError("--init-text goes with --init words; got --init " + *short_.init);
    auto const assigned = assignments();
    bool const words = short_.init_text || has(assigned, "init_text") || has(assigned, "init_words");
    if (short_.init == "words" && !words) throw UsageError("--init words wants --init-text, the words to start from");
    auto const options = short_.given(choice.strategy, model);
    choice.settings.clear();
    for (auto const& one : options) {
      if (one.setting.empty()) refuse(one.option, {}, options, model);
      if (auto const twice = twin(one, assigned); !twice.empty())
        throw UsageError(one.option + " has no effect beside --set " + twice +
                         ", which names the same setting; leave one of them out");
      choice.settings.emplace_back(one.setting, one.value);
    }
    choice.settings.insert(choice.settings.end(), assigned.begin(), assigned.end());
    try {
      for (auto const& unread : graft::any::setting_use(choice, model).unread)
        refuse(name_of(unread, options), unread, options, model);
      if (auto const alpha = given("alpha"); alpha && std::strtod(alpha->c_str(), nullptr) == 0)
        throw UsageError(
            "--alpha 0 would make LoRA without effect, for its change is scaled by alpha / rank; expected another "
            "number");
      graft::any::check(choice, model);
    } catch (graft::ConfigError const& error) {
      if (assigned.empty()) throw;
      throw UsageError(std::string("--set: ") + error.what());
    }
  }
  void apply_words(graft::Tokenizer const& tokenizer) {
    apply_words([&](std::string const& text) { return tokenizer.encode(text); });
  }
  void apply_words(graft::any::Encode const& encode) { graft::any::encode_words(choice, encode); }

  graft::any::Choice choice;

 private:
  using Settings = std::vector<std::pair<std::string, std::string>>;

  [[nodiscard]] Settings assignments() const {
    Settings all;
    for (auto const& text : set_) all.push_back(graft::any::parse_assignment(text));
    return all;
  }
  [[nodiscard]] static bool has(Settings const& settings, std::string const& name) {
    return std::any_of(settings.begin(), settings.end(), [&](auto const& setting) {
      return setting.first == name || setting.first.ends_with("." + name);
    });
  }
  /// The --set that names a setting of the option's; empty if there is none.
  [[nodiscard]] std::string twin(GivenOption const& option, Settings const& assigned) const {
    auto const own = graft::any::full_names(choice.strategy, option.setting);
    for (auto const& [name, value] : assigned) {
      auto const others = graft::any::full_names(choice.strategy, name);
      bool const same = name == option.setting || std::any_of(others.begin(), others.end(), [&](auto const& other) {
                          return std::find(own.begin(), own.end(), other) != own.end();
                        });
      if (same) return name + "=" + value;
    }
    return {};
  }
  /// What the command line calls a setting: the option that gives it, or --set.
  [[nodiscard]] static std::string name_of(std::string const& setting, std::vector<GivenOption> const& options) {
    for (auto const& one : options)
      if (one.setting == setting) return one.option;
    return "--set " + setting;
  }
  /// @param option as the command line calls it
  /// @param setting its name; empty where the strategy has none for the option
  [[noreturn]] void refuse(std::string const& option, std::string const& setting,
                           std::vector<GivenOption> const& options, graft::ModelInfo const& model) const {
    if (auto const other = setting.empty() ? "" : graft::any::replaced_by(choice, setting, model); !other.empty())
      throw UsageError(option + " has no effect beside " + name_of(other, options) +
                       ", which stands in its place; leave one of them out");
    graft::any::Choice plain = choice;
    if (setting.empty()) plain.settings.clear();
    auto const read = short_.read(graft::any::setting_use(plain, model).read, choice.strategy);
    std::string text;
    for (auto const& one : read) text += (text.empty() ? "; it reads " : ", ") + one;
    throw UsageError(option + " has no effect with --method " + choice.strategy + " on a " + model.architecture +
                     " model" + text + "; leave it out");
  }

  ShortSettings short_;
  std::vector<std::string> set_;
};

}  // namespace support
