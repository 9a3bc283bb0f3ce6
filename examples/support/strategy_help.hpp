/// @file
/// @brief What the command line's help says of strategies and settings; all of it derives from the one list.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/any/choice.hpp>

#include "support/option_group.hpp"
#include "support/program.hpp"

namespace support {

[[nodiscard]] inline std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (auto const& info : graft::any::strategies()) names.push_back(info.name);
  return names;
}

/// Names and summaries, a line each.
[[nodiscard]] inline std::string strategies_help() {
  std::string names = "Strategy:";
  for (auto const& info : graft::any::strategies()) names += "\n  " + info.name + ": " + info.summary;
  return names;
}

/// The names that a setting's values have.
[[nodiscard]] inline std::vector<std::string> setting_choices(std::string const& strategy, std::string const& setting) {
  for (auto const& info : graft::any::strategy_info(strategy).settings)
    if (info.name == setting) return info.choices;
  return {};
}

/// A strategy's settings, a line each: name, default, what values are, and the sentence.
[[nodiscard]] inline std::string settings_help(std::string const& strategy) {
  auto const& info = graft::any::strategy_info(strategy);
  std::string text = info.name + ": " + info.summary + "\n";
  if (info.settings.empty()) text += "  it has no settings\n";
  for (auto const& setting : info.settings)
    text +=
        "  --set " + setting.name + "=" + setting.fallback + "  (" + setting.type + ")\n      " + setting.help + "\n";
  return text + "learning rate: " + CLI::detail::to_string(info.learning_rate) + "\n";
}

/// The form NAME=VALUE.
[[nodiscard]] inline CLI::Validator assignment() {
  return CLI::Validator(
      [](std::string& text) {
        std::size_t const at = text.find('=');
        bool const whole = at != std::string::npos && at > 0 && at + 1 < text.size();
        return whole ? std::string() : "got " + graft::printable(text) + "; expected NAME=VALUE";
      },
      "");
}

/// --list-settings: prints a strategy's settings and ends the program.
inline void add_settings_list(CLI::App& app) {
  app.add_option_function<std::string>(
         "--list-settings",
         [](std::string const& strategy) {
           print(settings_help(strategy));
           throw CLI::Success();
         },
         "Print the settings of this strategy, with defaults, for --set, and end")
      ->group("Strategy")
      ->check(not_empty())
      ->check(CLI::IsMember(strategy_names()))
      ->trigger_on_parse();
}

}  // namespace support
