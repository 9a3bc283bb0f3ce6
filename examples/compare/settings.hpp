/// @file
/// @brief What is compared, on what, with which budget.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/any/placement.hpp>
#include <graft/core/types.hpp>

#include "grid.hpp"
#include "scoring.hpp"
#include "strategy.hpp"
#include "support/data_reading.hpp"

namespace compare {

using Json = nlohmann::ordered_json;

/// A file of test examples; the name is empty for a test set that needs none.
struct TestFile {
  std::string name, file;
};

/// Everything but strategy, learning rate and seed that decides the numbers of a row: the same for all rows.
struct Task {
  std::string model;
  std::string data = "generated", validation;  ///< files of examples; an empty one is held out of `data`
  std::vector<TestFile> tests;                 ///< none: held out of `data`
  support::DataReading reading;                ///< of all these files
  std::size_t training_rows = 240, validation_rows = 24, test_sources = 10;  ///< 0: all that the files have
  Index epochs = 1, steps = 0, batch = 4, max_new = 60, shots = 4, max_target = 0;
  std::optional<Index>
      max_source;  ///< longest source in tokens, 0 for no limit; none: as a merged model's folder keeps it, else 0
  std::uint64_t split_seed = 0;          ///< of the data: which examples are held out, which are taken
  bool recompute = false;                ///< layers in the backward pass
  bool share_sources = false;            ///< compute a source once for its references in a pass
  std::optional<std::string> separator;  ///< none: the default of the kind of model
  graft::any::Placement placement;       ///< of all rows
};

/// One training or evaluation to be made, by a process of its own.
struct Request {
  Task task;
  Strategy strategy;
  double learning_rate = 0;  ///< 0 without training
  std::uint64_t seed = 0;    ///< of starts, order and dropout; 0 without training

  [[nodiscard]] bool trains() const { return is_trained(strategy.name); }
};

/// The command line.
struct Settings {
  Task task;
  MetricChoice metrics;  ///< of outputs: no part of the task, so that finished rows stay where others are asked for
  std::vector<RowSpec> rows;
  std::vector<double> learning_rates;  ///< of each row; 0 without training
  std::vector<bool> tuned;             ///< whether other rates are tried for the row
  std::vector<std::uint64_t> seeds{0};
  std::filesystem::path out = "comparison", csv;
  std::string against = none;  ///< the row that the others' differences are measured from
  Index jobs = 1;
  double memory_mib = 0;  ///< of all processes together; 0: what is free at the start
  bool quick = false, fresh = false, json = false;
};

Json to_json(Task const& task);
Task task_from_json(std::string const& where, nlohmann::json const& json);
Json to_json(Strategy const& strategy);
Strategy strategy_from_json(std::string const& where, nlohmann::json const& json);
Json to_json(Request const& request);
Request request_from_json(std::string const& where, nlohmann::json const& json);

}  // namespace compare
