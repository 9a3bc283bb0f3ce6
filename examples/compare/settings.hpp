/// @file
/// @brief What is compared, on what, with which budget.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/types.hpp>

namespace compare {

using Json = nlohmann::ordered_json;
using graft::Index;

/// Everything but strategy and learning rate that decides the numbers of a row: the same for all rows.
struct Task {
  std::string model;
  std::string data = "generated", test;  ///< a file of examples, and one to test on in place of held-out sources
  std::size_t training_rows = 240, validation_rows = 24,
              test_sources = 10;  ///< test sources of the seen and of the unseen domains each
  Index epochs = 1, steps = 0, batch = 4, max_new = 60, shots = 4, max_target = 0;
  std::optional<Index>
      max_source;  ///< longest source in tokens, 0 for no limit; none: as a merged model's folder keeps it, else 0
  std::uint64_t seed = 0;
  bool recompute = false;                ///< layers in the backward pass
  std::optional<std::string> separator;  ///< none: the default of the kind of model
};

/// One row to be made.
struct Request {
  Task task;
  std::string method;
  double learning_rate = 0;  ///< 0 for rows without training
};

/// The command line.
struct Settings {
  Task task;
  std::vector<std::string> methods;
  std::map<std::string, double> learning_rates;  ///< that differ from the table's
  std::filesystem::path out = "comparison";
  bool quick = false, tune = false, fresh = false, json = false;
};

/// The rows of a comparison that are not strategies.
inline constexpr char const* none = "none";
inline constexpr char const* few_shot = "few_shot";
inline bool is_trained(std::string const& method) { return method != none && method != few_shot; }

Json to_json(Request const& request);
Request request_from_json(std::string const& where, nlohmann::json const& json);

/// What tells whether a finished row is still valid: the request, what the model's and the data's files hold, and this
/// very program.
Json stamp_of(Request const& request);

}  // namespace compare
