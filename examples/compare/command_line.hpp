/// @file
/// @brief The options of `compare`, and what they mean together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "settings.hpp"
#include "support/data.hpp"
#include "support/device_options.hpp"

namespace compare {

/// What stands on the command line; `settle` makes `settings` of it.
struct CommandLine {
  Settings settings;
  support::DataChoice reading;
  support::DeviceOptions device;
  std::vector<std::string> methods, rows, tests, merged, metrics;
  std::optional<std::size_t> training_rows, validation_rows, test_sources;
  std::optional<Index> epochs;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> seeds, learning_rates;
  bool tune = false;
};

void add_options(CLI::App& app, CommandLine& line);

/// Expands rows and seeds, and settles budget and learning rates.
/// @throws UsageError and ConfigError for what cannot be meant: before anything is read
void settle(CLI::App const& app, CommandLine& line);

/// Settles what --metrics asks for. @throws ConfigError for what cannot be computed, UsageError for what has no effect
void settle_metrics(CLI::App const& app, CommandLine& line);

/// Says what has no effect on this comparison. @throws UsageError
void check_options(CLI::App const& app, CommandLine const& line);
/// The same of what depends on the model.
void check_options(CLI::App const& app, Settings const& settings, graft::ModelInfo const& model);

}  // namespace compare
