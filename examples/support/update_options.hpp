/// @file
/// @brief How parameters are updated: the optimizer, its learning rate's schedule and the size of passes as options.
#pragma once

#include <optional>
#include <string>

#include <graft/train/training.hpp>

#include "support/device_options.hpp"
#include "support/option_group.hpp"

namespace support {

inline constexpr char const* recompute_help =
    "Keep of each layer its input alone, and compute the layer again in the backward pass: far less memory for long "
    "rows, more time, the "
    "same numbers";
inline constexpr char const* share_sources_help =
    "Compute a source once for all its references in a pass: less time where a source has several. Steps hold the "
    "references of few sources, since sources are shuffled in place of examples; references of one source share "
    "dropout's mask there";

inline constexpr char const* keep_frozen_help =
    "MiB to keep what never changes of an example, so that later epochs begin there: layers below top_layers or a "
    "head, sources before an infix, an encoder that the strategy leaves as it is; the same losses up to rounding; 0: "
    "nothing is kept";

/// Optimizer and schedule by name; empty for those that the training has already.
struct UpdateOptions {
  std::optional<std::string> optimizer, schedule;
  std::optional<graft::Index> max_tokens;

  void add_to(OptionGroup const& option, std::string const& fallback = "") {
    option("--optimizer", optimizer,
           "adamw, or adafactor as prompt tuning has it: decay 0.8, no scaling by the parameters (default: adamw" +
               fallback + ")",
           CLI::IsMember({"adamw", "adafactor"}));
    option("--schedule", schedule, "Of the learning rate after the warm-up (default: linear" + fallback + ")",
           CLI::IsMember({"constant", "linear", "cosine"}));
    option("--max-tokens", max_tokens,
           "Most tokens of one pass: a batch of more is divided, to the same gradients up to rounding, and takes less "
           "memory; 0: no limit (default: 384 on cpu, 8192 on cuda)",
           number_from_zero());
  }
  void apply(graft::Training& training, graft::any::Placement const& placement) const {
    training.max_tokens = max_tokens.value_or(usual_max_tokens(placement));
    if (optimizer)
      training.optimizer = *optimizer == "adafactor" ? graft::OptimizerKind::adafactor : graft::OptimizerKind::adamw;
    if (schedule) training.schedule = graft::schedule_named(*schedule);
  }
};

}  // namespace support
