#include "strategy.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <graft/any/any_model.hpp>
#include <graft/core/error.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/text/printable.hpp>

namespace compare {

namespace {

graft::any::Choice choice_of(Strategy const& strategy) {
  graft::any::Choice choice;
  choice.strategy = is_trained(strategy.name) ? strategy.name : none;
  if (is_trained(strategy.name)) choice.settings = strategy.settings;
  return choice;
}

/// What holds where a setting is not given.
std::string fallback_of(std::string const& strategy, std::string const& setting) {
  for (auto const& info : graft::any::strategy_info(strategy).settings)
    if (info.name == setting) return info.fallback;
  return "";
}

}  // namespace

std::string value_of(Strategy const& strategy, std::string const& setting) {
  if (auto const* given = strategy.find(setting)) return *given;
  return is_trained(strategy.name) ? fallback_of(strategy.name, setting) : "";
}

std::string const* Strategy::find(std::string_view setting) const {
  for (auto const& [key, value] : settings)
    if (key == setting) return &value;
  return nullptr;
}

Strategy parse_strategy(std::string_view text) {
  auto const choice = graft::any::parse_choice(text);
  return {choice.strategy, choice.settings};
}

std::string to_string(Strategy const& strategy) {
  graft::any::Choice choice;
  choice.strategy = strategy.name, choice.settings = strategy.settings;
  return graft::any::to_string(choice);
}

Strategy canonical(Strategy const& strategy) {
  if (!is_trained(strategy.name)) return strategy;
  Strategy result{strategy.name, {}};
  for (auto const& [name, value] : strategy.settings) {
    auto const names = graft::any::full_names(strategy.name, name);
    if (names.empty()) result.settings.emplace_back(name, value);  // unknown, or written for another setting
    for (auto const& full : names)
      if (value != fallback_of(strategy.name, full)) result.settings.emplace_back(full, value);
  }
  std::sort(result.settings.begin(), result.settings.end());
  return result;
}

std::string title_of(std::string const& name) {
  static std::map<std::string, std::string> const titles{{none, "none"},
                                                         {few_shot, "few-shot"},
                                                         {"prefix_mlp", "prefix + MLP"},
                                                         {"embedding", "embedding-only"},
                                                         {"lora", "LoRA"},
                                                         {"bitfit", "BitFit"},
                                                         {"top_layers", "FT-TOP2"},
                                                         {"prefix_lora", "prefix + LoRA"},
                                                         {"ia3", "(IA)³"},
                                                         {"p_tuning", "P-tuning"},
                                                         {"parallel_adapter", "parallel adapter"},
                                                         {"mam", "MAM"}};
  auto const found = titles.find(name);
  return found == titles.end() ? name : found->second;
}

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (auto const& info : graft::any::strategies()) names.push_back(info.name);
  names.emplace_back(few_shot);
  return names;
}
std::string summary_of(std::string const& name) {
  return name == few_shot ? "the base model with training examples in its context"
                          : graft::any::strategy_info(name).summary;
}
double default_learning_rate(std::string const& name) {
  return is_trained(name) ? graft::any::strategy_info(name).learning_rate : 0;
}

bool exists(Strategy const& strategy, graft::ModelInfo const& model) {
  return graft::any::exists(is_trained(strategy.name) ? strategy.name : none, model);
}

bool lengthens_rows(Strategy const& strategy) {
  static std::set<std::string> const names{"prefix",    "prefix_mlp", "prompt",      "infix",
                                           "embedding", "p_tuning",   "prefix_lora", "mam"};
  return names.contains(strategy.name);
}

void check(Strategy const& strategy) {
  if (is_trained(strategy.name)) static_cast<void>(graft::any::strategy_info(strategy.name));
  if (strategy.name == none && !strategy.settings.empty())
    graft::fail<graft::ConfigError>("[none] got the setting ", strategy.settings.front().first,
                                    "; expected none: the model stays as it is");
  if (strategy.name != few_shot) return;
  if (strategy.settings.size() > 1)
    graft::fail<graft::ConfigError>("[few_shot] got ", strategy.settings.size(), " settings; expected shots alone");
  for (auto const& [name, value] : strategy.settings) {
    Index shots = 0;
    auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), shots);
    if (name != "shots")
      graft::fail<graft::ConfigError>("[few_shot] unknown setting; got ", graft::printable(name), "; expected shots");
    if (error != std::errc() || end != value.data() + value.size() || shots < 1 || shots > 2147483647)
      graft::fail<graft::ConfigError>("[few_shot] got shots=", graft::printable(value),
                                      "; expected a whole number from 1 to 2147483647");
  }
}

void check(Strategy const& strategy, graft::ModelInfo const& model) {
  check(strategy);
  if (is_trained(strategy.name)) graft::any::check(choice_of(strategy), model);
}

Strategy with_words(Strategy const& strategy, std::string const& model) {
  bool const given = std::any_of(strategy.settings.begin(), strategy.settings.end(),
                                 [](auto const& setting) { return setting.first.ends_with("init_text"); });
  if (!given || !is_trained(strategy.name)) return strategy;
  auto choice = choice_of(strategy);
  auto const tokenizer = graft::load_tokenizer(model);
  graft::any::encode_words(choice, [&](std::string const& text) { return tokenizer.encode(text); });
  return {choice.strategy, choice.settings};
}

std::unique_ptr<graft::any::AnyModel> adapt(graft::any::AnyBase const& base, Strategy const& strategy,
                                            std::uint64_t seed, std::optional<Index> labels) {
  auto choice = choice_of(strategy);
  choice.seed = seed, choice.labels = labels;
  return base.adapt(choice);
}

}  // namespace compare
