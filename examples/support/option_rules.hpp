/// @file
/// @brief Options that would have no effect on a run are refused: nobody is left to believe that a setting was
/// honoured.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "support/program.hpp"

namespace support {

/// Whether an option stands on the command line.
inline bool given(CLI::App const& app, std::string const& option) {
  auto const* const found = app.get_option_no_throw(option);
  return found && found->count() > 0;
}

/// @param why the rest of the sentence: "without --test: nothing is written"
inline void refuse_given(CLI::App const& app, std::initializer_list<char const*> options, std::string const& why) {
  for (char const* option : options)
    if (given(app, option)) throw UsageError(std::string(option) + " has no effect " + why + "; leave it out");
}

/// The same of all options of a group of the help, but for some.
inline void refuse_group(CLI::App const& app, std::string const& group, std::string const& why, std::vector<std::string> const& but = {}) {
  for (auto const* option : app.get_options())
    if (option->get_group() == group && option->count() > 0 && std::find(but.begin(), but.end(), option->get_name()) == but.end())
      throw UsageError(option->get_name() + " has no effect " + why + "; leave it out");
}

/// How long a training is and when it is validated.
/// @param validated whether there are validation examples
inline void check_training_options(CLI::App const& app, bool validated) {
  auto const positive = [&](char const* option) { return given(app, option) && app.get_option(option)->as<double>() > 0; };
  if (positive("--steps")) refuse_given(app, {"--epochs"}, "beside --steps, which stand in its place");
  if (!validated)
    for (char const* option : {"--validate-every", "--patience"})
      if (positive(option)) refuse_given(app, {option}, "without validation examples");
}

}  // namespace support
