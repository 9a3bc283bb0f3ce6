/// @file
/// @brief Options that would have no effect on a run are refused: nobody is left to believe that a setting was
/// honoured.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/core/warning.hpp>
#include <graft/train/training.hpp>

#include "support/program.hpp"

namespace support {

/// Does what follows from an option's value. @throws UsageError, which names the option, in place of a ConfigError
template <class Act>
void as_usage(char const* option, Act const& act) {
  try {
    act();
  } catch (graft::ConfigError const& error) {
    throw UsageError(std::string(option) + ": " + error.what());
  }
}

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
inline void refuse_group(CLI::App const& app, std::string const& group, std::string const& why,
                         std::vector<std::string> const& but = {}) {
  for (auto const* option : app.get_options())
    if (option->get_group() == group && option->count() > 0 &&
        std::find(but.begin(), but.end(), option->get_name()) == but.end())
      throw UsageError(option->get_name() + " has no effect " + why + "; leave it out");
}

/// How long a training is and when it is validated.
/// @param validated whether there are validation examples
inline void check_training_options(CLI::App const& app, bool validated) {
  auto const positive = [&](char const* option) {
    return given(app, option) && app.get_option(option)->as<double>() > 0;
  };
  if (positive("--steps")) refuse_given(app, {"--epochs"}, "beside --steps, which stand in its place");
  if (!validated)
    for (char const* option : {"--validate-every", "--patience"})
      if (positive(option)) refuse_given(app, {option}, "without validation examples");
  if (positive("--min-delta") && !positive("--patience")) refuse_given(app, {"--min-delta"}, "without --patience");
}

/// What is kept are states of layers below the lowest that a strategy acts on, keys and values before an infix, or an
/// encoder's states. Some strategies leave these as they are only with some settings or models: the Trainer refuses the
/// others.
/// @param shares whether sources are shared
/// @param encodes whether models have an encoder beside the decoder, which prefixes and prompts may leave as it is
inline void check_keep_frozen(CLI::App const& app, std::string const& strategy, bool shares, bool encodes = false) {
  if (!given(app, "--keep-frozen") || app.get_option("--keep-frozen")->as<double>() == 0) return;
  bool known = false;
  for (char const* keeps : {"top_layers", "head", "infix", "embedding"}) known = known || strategy == keeps;
  for (char const* keeps : {"prefix", "prefix_mlp", "prompt"}) known = known || (encodes && strategy == keeps);
  if (!known)
    refuse_given(app, {"--keep-frozen"}, "with --method " + strategy + ", which acts from the first layer on");
  if (shares)
    refuse_given(app, {"--keep-frozen"}, "beside --share-sources, which cuts rows in another way in every epoch");
}

/// Says of options of a training that they have no effect, or another than they say, now that its rows are known.
/// @param read training rows that were read, of which --rows keeps the first
/// @param kept those that are trained on
inline void say_without_effect(CLI::App const& app, graft::Training const& t, std::size_t read, std::size_t kept) {
  auto const number = [&](char const* option) {
    return given(app, option) ? app.get_option(option)->as<double>() : 0.0;
  };
  graft::Index const size = t.batch * t.accumulate, per_epoch = (static_cast<graft::Index>(kept) + size - 1) / size;
  graft::Index const total = t.steps > 0 ? t.steps : t.epochs * per_epoch;
  auto const beyond = static_cast<double>(total);
  if (number("--rows") > static_cast<double>(read))
    graft::warn("[training] got --rows ", app.get_option("--rows")->as<std::string>(),
                ", which leaves nothing out; there are ", read, " training rows");
  if (number("--validate-every") > beyond)
    graft::warn("[training] got --validate-every ", t.validate_every, " for ", total, total == 1 ? " step" : " steps",
                "; the validation after the last step is the only one");
  graft::Index const every = t.validate_every > 0 ? t.validate_every : per_epoch;
  if (number("--patience") > 0 && every >= total)
    graft::warn("[training] got --patience ", t.patience,
                ", which has no effect; the only validation is after the last step, ", total,
                "; hint: --validate-every");
  if (number("--checkpoint-every") > beyond)
    graft::warn("[training] got --checkpoint-every ", t.checkpoint_every, " for ", total,
                total == 1 ? " step" : " steps", "; the checkpoint after the last step is the only one");
  if (double const share = number("--warmup"); share > 0 && share * beyond < 1)
    graft::warn("[training] got --warmup ", share, ", less than one of ", total, total == 1 ? " step" : " steps",
                "; the whole first step is taken, with a learning rate of 0");
}

}  // namespace support
