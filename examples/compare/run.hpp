/// @file
/// @brief What one process made: a strategy trained with one seed and learning rate, or the model as it is.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "settings.hpp"

namespace compare {

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

using Curve = std::vector<std::pair<double, double>>;  ///< (step, loss)

struct Run {
  std::string error;           ///< empty where it was finished
  std::string not_applicable;  ///< why the model has no such row; empty where it has
  bool classes = false;        ///< whether the outputs are names of classes
  std::uint64_t seed = 0;
  double learning_rate = 0;
  Index threads = 0;
  Index trainable = 0, all = 0, steps = 0;
  double tokens_per_second = unknown, train_seconds = 0, validation_seconds = 0, generation_seconds = 0, seconds = 0;
  double peak_memory_mib = unknown;  ///< until the end of training; without training, of generation
  double training_loss = unknown, validation_loss = unknown;
  Index cut_sources = 0, cut_targets = 0;
  Curve training, validation;
  std::vector<std::vector<std::string>> outputs;  ///< of the inputs of each test set

  [[nodiscard]] bool failed() const { return !error.empty(); }
  /// Whether it failed or does not exist.
  [[nodiscard]] bool has_no_results() const { return failed() || !not_applicable.empty(); }
};

Json to_json(Run const& run);
/// @throws FileError for what is no run
Run run_from_json(std::string const& where, nlohmann::json const& json);

}  // namespace compare
