/// @file
/// @brief Options that are short names of settings, some of them for several strategies at once.
#pragma once

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <graft/adaptation/module_names.hpp>
#include <graft/any/choice.hpp>

namespace support {

/// An option on the command line and the setting that it means.
struct GivenOption {
  std::string option, setting, value;  ///< no setting: the strategy has none for the option
};

/// The values of the options that are given, as they were parsed.
struct ShortSettings {
  std::optional<graft::Index> length, hidden, rank, bottleneck, layers;
  std::optional<double> init_deviation, dropout, alpha, share;
  std::optional<std::string> init, init_text, placement, scope, positions, side, place;
  std::vector<std::string> targets;

  /// Every option that is given, with the setting that it means for a strategy on a model.
  [[nodiscard]] std::vector<GivenOption> given(std::string const& strategy, graft::ModelInfo const& model) const {
    std::vector<GivenOption> all;
    auto const add = [&](std::string const& option, auto const& value) {
      if (!value) return;
      auto const setting = setting_of(option, strategy);
      all.push_back({option, setting, text(*value)});
    };
    add("--length", length), add("--hidden", hidden), add("--init", init), add("--init-text", init_text);
    add("--init-deviation", init_deviation), add("--dropout", dropout), add("--rank", rank), add("--alpha", alpha);
    add("--bottleneck", bottleneck), add("--share", share), add("--placement", placement);
    add("--scope", scope), add("--positions", positions), add("--side", side), add("--place", place);
    if (layers) all.push_back(topmost(setting_of("--layers", strategy), strategy, model));
    if (!targets.empty()) add_targets(all, strategy, model);
    return all;
  }
  /// The options that mean some of these settings of a strategy.
  [[nodiscard]] std::vector<std::string> read(std::vector<std::string> const& settings,
                                              std::string const& strategy) const {
    std::vector<std::string> options;
    for (char const* option : {"--length", "--hidden", "--init", "--init-text", "--init-deviation", "--dropout",
                               "--rank", "--alpha", "--targets", "--bottleneck", "--share", "--placement", "--layers",
                               "--scope", "--positions", "--side", "--place"}) {
      std::string setting = setting_of(option, strategy);
      if (setting == "init_text") setting = "init_words";
      auto const names = setting.empty() ? std::vector<std::string>() : graft::any::full_names(strategy, setting);
      if (std::any_of(names.begin(), names.end(), [&](auto const& name) {
            return std::find(settings.begin(), settings.end(), name) != settings.end();
          }))
        options.emplace_back(option);
    }
    return options;
  }

 private:
  template <class T>
  [[nodiscard]] static std::string text(T const& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      return value;
    } else {
      char digits[32];
      auto const [end, error] = std::to_chars(digits, digits + sizeof digits, value);
      return error == std::errc() ? std::string(digits, end) : std::string();
    }
  }
  /// The setting that an option means for a strategy; empty for none. Most have the setting's name. An option that
  /// tells what it is of in its help means no other strategy's setting, whatever that is called.
  [[nodiscard]] static std::string setting_of(std::string const& option, std::string const& strategy) {
    auto const is = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), strategy) != names.end();
    };
    std::string name = option.substr(2);
    std::replace(name.begin(), name.end(), '-', '_');
    if (option == "--hidden") {
      if (is({"prefix", "prompt", "prefix_lora"})) return {};  // flat: prefix_mlp and --set make them otherwise
      if (strategy != "p_tuning") name = "reparametrization.hidden";
    }
    if (option == "--placement" && strategy != "adapter") return {};
    if (option == "--init-deviation" && is({"adapter", "head"})) return {};
    if (option == "--layers" && strategy == "p_tuning") return {};
    std::string const known = option == "--init-text" ? "init_words" : name;
    return graft::any::full_names(strategy, known).empty() ? std::string() : name;
  }
  /// A number of layers is a setting of top_layers; others list the layers that have a bank.
  [[nodiscard]] GivenOption topmost(std::string const& setting, std::string const& strategy,
                                    graft::ModelInfo const& model) const {
    GivenOption option{"--layers", setting, text(*layers)};
    if (setting.empty() || strategy == "top_layers") return option;
    int const count = model.main().layers;
    if (*layers < 1 || *layers > count)
      graft::fail<graft::ConfigError>("[method] got ", *layers, " layers; expected 1 to ", count);
    option.value.clear();
    for (int l = count - static_cast<int>(*layers); l < count; ++l)
      option.value += (option.value.empty() ? "" : "+") + std::to_string(l);
    return option;
  }
  /// Of ia3, names of the feed-forward's second product scale its inputs, as in the paper; others scale outputs.
  void add_targets(std::vector<GivenOption>& all, std::string const& strategy, graft::ModelInfo const& model) const {
    std::string outer, inner;
    for (auto const& target : targets) {
      bool const scales_input =
          strategy == "ia3" && std::any_of(model.sites.begin(), model.sites.end(), [&](graft::SiteInfo const& site) {
            return site.address.site == graft::Site::feed_forward_down && graft::names_module(target, site.name);
          });
      auto& list = scales_input ? inner : outer;
      list += (list.empty() ? "" : "+") + target;
    }
    std::string const setting = setting_of("--targets", strategy);
    if (!outer.empty()) all.push_back({"--targets", setting, outer});
    if (!inner.empty()) all.push_back({"--targets", "feed_forward_targets", inner});
  }
};

}  // namespace support
