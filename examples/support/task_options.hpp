/// @file
/// @brief The training options that the programs of one task each share, and what such a training reports.
#pragma once

#include <nlohmann/json.hpp>

#include <graft/train/training.hpp>

#include "support/option_group.hpp"
#include "support/update_options.hpp"

namespace support {

/// `learning_rate` stays empty for the strategy's own.
inline void add_task_options(CLI::App& app, graft::Training& t, std::optional<double>& learning_rate,
                             UpdateOptions& update) {
  OptionGroup const option(app, "Training");
  auto const positive = positive_number();
  auto const not_negative = number_from_zero();
  option("--epochs", t.epochs, "Passes over the data", positive);
  option("--steps", t.steps, "Optimizer steps, in place of --epochs; 0: as the epochs have", not_negative);
  option("--batch", t.batch, "Examples of one step", positive);
  option("--learning-rate", learning_rate, "Peak learning rate; 0: the losses of the start (default: the strategy's)",
         not_negative);
  update.add_to(option);
  option("--warmup", t.warmup_ratio, "Share of the steps that warm up", share_of_one());
  option("--weight-decay", t.weight_decay, "Decoupled weight decay", not_negative);
  option("--clip", t.clip, "Largest global gradient norm; 0: no clipping", not_negative);
  option("--validate-every", t.validate_every, "Steps between validations; 0: every epoch", not_negative);
  option("--patience", t.patience, "Validations without progress that end the training; 0: never", not_negative);
  option("--min-delta", t.min_delta, "Least fall of the validation loss that is progress (--patience)", not_negative);
  option.flag("--recompute", t.recompute, recompute_help);
  option("--keep-frozen", t.keep_frozen, keep_frozen_help, not_negative);
  option("--seed", t.seed, "Addresses all random numbers");
  option("--log", t.log, "JSONL file: a line a step and a validation (default: none)");
}

/// What a training was and cost.
/// @param loss of its last steps, where the program reports it
[[nodiscard]] inline nlohmann::ordered_json training_summary(graft::Training const& t,
                                                             graft::TrainingReport const& report,
                                                             std::optional<double> loss = {}) {
  nlohmann::ordered_json summary{{"steps", report.steps.size()},     {"batch", t.batch},
                                 {"learning_rate", t.learning_rate}, {"recompute", t.recompute},
                                 {"keep_frozen", t.keep_frozen},     {"seed", t.seed},
                                 {"trainable", report.trainable},    {"all", report.all}};
  if (loss) summary["training_loss"] = *loss;
  summary["train_seconds"] = report.seconds;
  summary["tokens_per_second"] = report.tokens_per_second();
  if (!report.validations.empty()) summary["validation_loss"] = report.validations.back().loss;
  return summary;
}

}  // namespace support
