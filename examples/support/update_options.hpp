/// @file
/// @brief How parameters are updated: the optimizer and its learning rate's schedule as options.
#pragma once

#include <optional>
#include <string>

#include <graft/train/training.hpp>

#include "support/option_group.hpp"

namespace support {

inline constexpr char const* recompute_help =
    "Keep of each layer its input alone, and compute the layer again in the backward pass: far less memory for long "
    "rows, more time, the "
    "same numbers";

/// Optimizer and schedule by name; empty for those that the training has already.
struct UpdateOptions {
  std::optional<std::string> optimizer, schedule;

  void add_to(OptionGroup const& option, std::string const& fallback = "") {
    option("--optimizer", optimizer,
           "adamw, or adafactor as prompt tuning has it: decay 0.8, no scaling by the parameters (default: adamw" +
               fallback + ")",
           CLI::IsMember({"adamw", "adafactor"}));
    option("--schedule", schedule, "Of the learning rate after the warm-up (default: linear" + fallback + ")",
           CLI::IsMember({"constant", "linear", "cosine"}));
  }
  void apply(graft::Training& training) const {
    if (optimizer)
      training.optimizer = *optimizer == "adafactor" ? graft::OptimizerKind::adafactor : graft::OptimizerKind::adamw;
    if (schedule) training.schedule = graft::schedule_named(*schedule);
  }
};

}  // namespace support
