/// @file
/// @brief A strategy and its settings on the command line.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/text/tokenizer.hpp>

#include "any_model/method.hpp"
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
    std::string help = "Strategy:";
    for (auto const& info : any_model::method_infos()) help += std::string("\n  ") + info.name + ": " + info.summary;
    char const* const group = "Strategy";
    app.add_option("--method", method.name, help)->capture_default_str()->check(CLI::IsMember(method_names()))->group(group);
    add(app, "--length", method.length, "Virtual tokens (default: 10; prompt 20)");
    add(app, "--hidden", method.hidden, "Hidden width of the MLP reparametrization (default: 512)");
    app.add_option("--init", method.init, "Start of virtual tokens: normal, uniform, vocabulary, words (default: normal; prompt and embedding vocabulary)")
        ->check(CLI::IsMember({"normal", "uniform", "vocabulary", "words"}))
        ->group(group);
    app.add_option("--init-text", text_, "Text whose tokens the virtual tokens start from (implies --init words)")->group(group);
    add(app, "--init-deviation", method.init_deviation, "Size of random starts (default: 0.02)");
    add(app, "--dropout", method.dropout, "Dropout on the strategy's own activations while training (default: 0)");
    add(app, "--rank", method.rank, "LoRA's rank (default: 8)");
    add(app, "--alpha", method.alpha, "LoRA's alpha (default: 16)");
    app.add_option("--targets", method.targets, "LoRA's modules, parted by commas (default: the query and value products)")->delimiter(',')->group(group);
    add(app, "--bottleneck", method.bottleneck, "Width of bottleneck adapters (default: 64)");
    add(app, "--share", method.share, "Size of bottleneck adapters as a share of the model's parameters, in place of --bottleneck");
    app.add_option("--placement", method.placement, "Bottleneck adapters' placement: between_layers, houlsby, pfeiffer (default: between_layers)")
        ->check(CLI::IsMember({"between_layers", "houlsby", "pfeiffer"}))
        ->group(group);
    add(app, "--layers", method.layers, "Topmost layers that are trained (top_layers, default: 2) or get a prefix or infix (default: all)");
  }
  void apply_words(graft::Tokenizer const& tokenizer) {
    if (text_.empty()) return;
    if (!method.init) method.init = "words";
    if (*method.init != "words") throw UsageError("--init-text goes with --init words; got --init " + *method.init);
    for (graft::Token token : tokenizer.encode(text_)) method.init_words.push_back({token});
  }

  any_model::Method method;

 private:
  template <class T>
  static void add(CLI::App& app, char const* name, std::optional<T>& value, char const* help) {
    app.add_option(name, value, help)->group("Strategy");
  }

  std::string text_;
};

}  // namespace support
