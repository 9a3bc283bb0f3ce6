/// @file
/// @brief All that a training needs to go on as if it had never stopped, and its form on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <graft/io/json.hpp>
#include <graft/io/safetensors.hpp>
#include <graft/io/safetensors_writer.hpp>
#include <graft/optim/optimizer.hpp>
#include <graft/train/training.hpp>

namespace graft {

template <class Scalar>
using NamedTensors = std::map<std::string, Tensor<Scalar>>;

/// The state of a training between two steps. Random streams and the order of examples
/// are addressed by seed and step, so they need no state.
template <class Scalar>
struct SavedTraining {
  nlohmann::json identity;           ///< what it is a training of: settings, data, parameters' names and shapes
  TrainingReport report;             ///< so far; its steps give the position
  Index validations_since_best = 0;  ///< since the last that made progress: with `min_delta`, not every best does
  std::uint64_t log_bytes = 0;       ///< of the log, at this step
  double probe = 0;                  ///< log-probability of the first example's target: tells a base model from another
  NamedTensors<Scalar> parameters;   ///< as trained, reparametrizations included
  NamedTensors<Scalar> best;         ///< those of the best validation, where early stopping is on
  OptimizerState<Scalar> optimizer;
};

namespace detail {

template <class Scalar>
void save_tensors(std::filesystem::path const& path, NamedTensors<Scalar> const& tensors,
                  std::vector<std::pair<std::string, std::int64_t const*>> const& counters = {}) {
  std::vector<TensorEntry> entries;
  for (auto const& [name, tensor] : tensors) {
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.shape()[axis]);
    entries.push_back({name,
                       dtype_of<Scalar>,
                       std::move(shape),
                       reinterpret_cast<std::byte const*>(tensor.data()),
                       static_cast<std::size_t>(tensor.size()) * sizeof(Scalar),
                       {}});
  }
  for (auto const& [name, value] : counters)
    entries.push_back({name, Dtype::i64, {}, reinterpret_cast<std::byte const*>(value), sizeof *value, {}});
  save_safetensors(path, entries);
}

template <class Scalar>
[[nodiscard]] Tensor<Scalar> copy_entry(TensorEntry const& entry, std::string const& where) {
  if (entry.dtype != dtype_of<Scalar>)
    fail<ConfigError>("[", where, "] holds ", printable(entry.name), " in ", dtype_name(entry.dtype), "; expected ",
                      dtype_name(dtype_of<Scalar>), ", as the model trains");
  Tensor<Scalar> tensor(Shape(std::vector<Index>(entry.shape.begin(), entry.shape.end())));
  convert_values(entry.dtype, entry.data, static_cast<std::size_t>(tensor.size()), tensor.data());
  return tensor;
}

template <class Scalar>
[[nodiscard]] NamedTensors<Scalar> load_tensors(std::filesystem::path const& path) {
  SafetensorsFile const file(path);
  NamedTensors<Scalar> tensors;
  for (auto const& entry : file.entries()) tensors.emplace(entry.name, copy_entry<Scalar>(entry, file.path()));
  return tensors;
}

/// An optimizer's values are named parameter/value, its counts of updates parameter/steps.
template <class Scalar>
void save_optimizer(std::filesystem::path const& path, OptimizerState<Scalar> const& state) {
  NamedTensors<Scalar> tensors;
  std::vector<std::int64_t> counts;
  counts.reserve(state.size());
  std::vector<std::pair<std::string, std::int64_t const*>> counters;
  for (auto const& [name, kept] : state) {
    for (auto const& [key, value] : kept.values) tensors.emplace(name + "/" + key, value);
    counts.push_back(kept.steps);
    counters.emplace_back(name + "/steps", &counts.back());
  }
  save_tensors(path, tensors, counters);
}

template <class Scalar>
[[nodiscard]] OptimizerState<Scalar> load_optimizer(std::filesystem::path const& path) {
  SafetensorsFile const file(path);
  OptimizerState<Scalar> state;
  for (auto const& entry : file.entries()) {
    auto const at = entry.name.rfind('/');
    if (at == std::string::npos)
      fail<FileError>("[", file.path(), "] holds ", printable(entry.name),
                      "; expected names of the form parameter/value");
    auto& kept = state[entry.name.substr(0, at)];
    std::string const key = entry.name.substr(at + 1);
    if (key != "steps") {
      kept.values.emplace(key, copy_entry<Scalar>(entry, file.path()));
    } else {
      if (entry.dtype != Dtype::i64 || entry.bytes != sizeof(std::int64_t))
        fail<FileError>("[", file.path(), "] holds ", printable(entry.name), " in another form; expected one int64");
      std::int64_t count = 0;
      std::memcpy(&count, entry.data, sizeof count);
      kept.steps = count;
    }
  }
  return state;
}

/// Numbers of a report; JSON numbers are written so that they read back to the same bits.
[[nodiscard]] inline nlohmann::json report_to_json(TrainingReport const& report) {
  nlohmann::json steps = nlohmann::json::array(), validations = nlohmann::json::array();
  for (auto const& s : report.steps)
    steps.push_back({s.step, s.epoch, s.loss, s.learning_rate, s.gradient_norm, s.tokens, s.seconds});
  for (auto const& v : report.validations) validations.push_back({v.step, v.loss, v.best});
  return {{"steps", steps},
          {"validations", validations},
          {"best_step", report.best_step},
          {"stopped_early", report.stopped_early},
          {"tokens", report.tokens},
          {"seconds", report.seconds}};
}

[[nodiscard]] inline TrainingReport report_from_json(std::string const& where, nlohmann::json const& json) {
  TrainingReport report;
  auto const rows = [&](char const* key, std::size_t width, auto const& take) {
    for (auto const& row : json_at<std::vector<nlohmann::json>>(where, json, key)) {
      if (!row.is_array() || row.size() != width)
        fail<FileError>("[", where, "] has a malformed row in ", key, "; expected ", width, " values");
      take(row);
    }
  };
  auto const count = [&](nlohmann::json const& value) { return json_as<Index>(where, "steps or validations", value); };
  auto const number = [&](nlohmann::json const& value) {
    return json_as<double>(where, "steps or validations", value);
  };
  rows("steps", 7, [&](auto const& r) {
    report.steps.push_back(
        {count(r[0]), number(r[1]), number(r[2]), number(r[3]), number(r[4]), count(r[5]), number(r[6])});
  });
  rows("validations", 3, [&](auto const& r) {
    report.validations.push_back({count(r[0]), number(r[1]), json_as<bool>(where, "validations", r[2])});
  });
  for (auto const& validation : report.validations)
    if (validation.best) report.best_validation_loss = validation.loss;
  report.best_step = json_at<Index>(where, json, "best_step");
  report.stopped_early = json_at<bool>(where, json, "stopped_early");
  report.tokens = json_at<Index>(where, json, "tokens");
  report.seconds = json_at<double>(where, json, "seconds");
  return report;
}

}  // namespace detail
}  // namespace graft
