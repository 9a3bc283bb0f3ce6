#include "run.hpp"

#include <cmath>
#include <type_traits>

#include <graft/io/json.hpp>

namespace compare {

namespace {

/// Visits all fields; NaN is null in JSON, which has no NaN.
template <class Self, class Visitor>
void visit_run(Self& run, Visitor const& visitor) {
  visitor("seed", run.seed), visitor("error", run.error), visitor("not_applicable", run.not_applicable),
      visitor("classes", run.classes);
  visitor("learning_rate", run.learning_rate), visitor("threads", run.threads);
  visitor("trainable", run.trainable), visitor("all", run.all), visitor("steps", run.steps);
  visitor("tokens_per_second", run.tokens_per_second), visitor("train_seconds", run.train_seconds),
      visitor("validation_seconds", run.validation_seconds);
  visitor("generation_seconds", run.generation_seconds), visitor("seconds", run.seconds),
      visitor("peak_memory_mib", run.peak_memory_mib);
  visitor("training_loss", run.training_loss), visitor("validation_loss", run.validation_loss);
  visitor("cut_sources", run.cut_sources), visitor("cut_targets", run.cut_targets);
  visitor("training_curve", run.training), visitor("validation_curve", run.validation);
  visitor("outputs", run.outputs);
}

Curve curve_from_json(std::string const& where, nlohmann::json const& json, char const* name) {
  Curve curve;
  for (auto const& point : graft::json_at<std::vector<std::vector<double>>>(where, json, name)) {
    if (point.size() != 2)
      graft::fail<graft::FileError>("[", where, "] has a point of ", point.size(), " numbers in ", name,
                                    "; expected two");
    curve.emplace_back(point[0], point[1]);
  }
  return curve;
}

}  // namespace

Json to_json(Run const& run) {
  Json json;
  visit_run(run, [&](char const* name, auto const& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, double>)
      json[name] = std::isfinite(field) ? Json(field) : Json();
    else
      json[name] = field;
  });
  return json;
}

Run run_from_json(std::string const& where, nlohmann::json const& json) {
  Run run;
  visit_run(run, [&](char const* name, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, double>)
      field = graft::json_or<double>(where, json, name, unknown);
    else if constexpr (std::is_same_v<Field, Curve>)
      field = curve_from_json(where, json, name);
    else
      field = graft::json_at<Field>(where, json, name);
  });
  return run;
}

}  // namespace compare
