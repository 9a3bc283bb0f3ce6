#include "strategy.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include <graft/core/error.hpp>
#include <graft/text/printable.hpp>

#include "any_model/any_model.hpp"
#include "support/method_options.hpp"

namespace compare {

std::string const* Strategy::find(std::string_view setting) const {
  for (auto const& [key, value] : settings)
    if (key == setting) return &value;
  return nullptr;
}

Strategy parse_strategy(std::string_view text) {
  auto const refuse = [&](std::string const& why) {
    graft::fail<graft::ConfigError>("[compare] got the row ", graft::printable(std::string(text)), why,
                                    "; expected STRATEGY or STRATEGY:NAME=VALUE:NAME=VALUE, for example lora:rank=4");
  };
  Strategy strategy;
  std::size_t end = std::min(text.find(':'), text.size());
  strategy.name = text.substr(0, end);
  if (strategy.name.empty()) refuse(", without a strategy");
  while (end < text.size()) {
    std::size_t const begin = end + 1;
    end = std::min(text.find(':', begin), text.size());
    std::string const part(text.substr(begin, end - begin));
    std::size_t const at = part.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == part.size())
      refuse(", in which " + graft::printable(part) + " is no setting");
    if (strategy.find(part.substr(0, at))) refuse(", with " + part.substr(0, at) + " twice");
    strategy.settings.emplace_back(part.substr(0, at), part.substr(at + 1));
  }
  return strategy;
}

std::string to_string(Strategy const& strategy) {
  std::string text = strategy.name;
  for (auto const& [name, value] : strategy.settings) text += ":" + name + "=" + value;
  return text;
}

Strategy canonical(Strategy const& strategy) {
  Strategy result = strategy;
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
  auto names = support::method_names();
  names.emplace_back(few_shot);
  return names;
}
std::string summary_of(std::string const& name) {
  return name == few_shot ? "the base model with training examples in its context" : support::method_info(name).summary;
}
double default_learning_rate(std::string const& name) {
  return is_trained(name) ? support::method_info(name).learning_rate : 0;
}

namespace {

void set(std::optional<Index>& field, std::string const& text) { field = std::stoll(text); }
void set(std::optional<double>& field, std::string const& text) { field = std::stod(text); }
void set(std::optional<std::string>& field, std::string const& text) { field = text; }
void set(std::vector<std::string>& field, std::string const& text) { field = {text}; }
void set(std::vector<std::vector<graft::Token>>&, std::string const&) {}

any_model::Method method_of(Strategy const& strategy) {
  any_model::Method method;
  method.name = is_trained(strategy.name) ? strategy.name : none;
  if (!is_trained(strategy.name)) return method;
  for (auto const& [name, value] : strategy.settings) {
    bool found = false;
    any_model::each_setting(method, [&](char const* option, auto& field) {
      if (option != "--" + name) return;
      found = true;
      set(field, value);
    });
    if (!found) graft::fail<graft::ConfigError>("[", strategy.name, "] unknown setting; got ", name);
  }
  return method;
}

}  // namespace

bool exists(Strategy const& strategy, graft::ModelInfo const& model) {
  return any_model::exists(is_trained(strategy.name) ? strategy.name : none, model);
}

bool lengthens_rows(Strategy const& strategy) {
  static std::set<std::string> const names{"prefix",    "prefix_mlp", "prompt",      "infix",
                                           "embedding", "p_tuning",   "prefix_lora", "mam"};
  return names.contains(strategy.name);
}

void check(Strategy const& strategy) {
  auto const names = strategy_names();
  if (std::find(names.begin(), names.end(), strategy.name) == names.end()) {
    std::string all;
    for (auto const& name : names) all += (all.empty() ? "" : ", ") + name;
    graft::fail<graft::ConfigError>("[compare] unknown strategy; got ", graft::printable(strategy.name),
                                    "; expected one of ", all);
  }
  if (strategy.name == none && !strategy.settings.empty())
    graft::fail<graft::ConfigError>("[none] got the setting ", strategy.settings.front().first,
                                    "; expected none: the model stays as it is");
  if (strategy.name != few_shot) return;
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

void check(Strategy const& strategy, graft::ModelInfo const&) { check(strategy); }

std::unique_ptr<any_model::AnyModel> adapt(any_model::AnyBase const& base, Strategy const& strategy, std::uint64_t seed,
                                           std::optional<Index> labels) {
  auto method = method_of(strategy);
  method.seed = seed, method.labels = labels;
  return base.adapt(method);
}

}  // namespace compare
