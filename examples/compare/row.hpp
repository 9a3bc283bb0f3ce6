/// @file
/// @brief One row of the comparison: what a strategy cost and what it reached.
#pragma once

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace compare {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// Metrics of a part of the test, in percent; NaN where there is no such part, or the metric is none of the model's.
struct Scores {
  double bleu = unknown, rouge_l = unknown, accuracy = unknown;  ///< accuracy: outputs that equal a reference
};

using Curve = std::vector<std::pair<double, double>>;  ///< (step, loss)

struct Row {
  std::string method, error;   ///< `error` is empty where the row was finished
  std::string not_applicable;  ///< why the model has no such row; empty where it has
  double learning_rate = 0;
  Index trainable = 0, all = 0, steps = 0;
  double tokens_per_second = unknown, train_seconds = 0, validation_seconds = 0, generation_seconds = 0, seconds = 0;
  double peak_memory_mib = unknown;  ///< until the end of training; without training, of generation
  double training_loss = unknown, validation_loss = unknown;
  Scores together, seen, unseen;
  Index cut_sources = 0, cut_targets = 0;
  Curve training, validation;
  Curve tuning;                      ///< (learning rate, validation loss) of every rate that was tried
  std::vector<std::string> outputs;  ///< of the test inputs, in order
  bool above_none = false;           ///< trained, but no better than the untrained model in validation loss

  [[nodiscard]] bool failed() const { return !error.empty(); }
  /// Whether it failed or does not exist.
  [[nodiscard]] bool has_no_results() const { return failed() || !not_applicable.empty(); }
  [[nodiscard]] double percent() const {
    return all > 0 ? 100.0 * static_cast<double>(trainable) / static_cast<double>(all) : 0.0;
  }
};

Json to_json(Row const& row);
Row row_from_json(std::string const& where, nlohmann::json const& json);

/// The name of a row in tables.
std::string title_of(std::string const& method);
/// What it does, in a few words.
std::string summary_of(std::string const& method);

}  // namespace compare
