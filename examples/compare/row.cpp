#include "row.hpp"

#include <cmath>
#include <map>
#include <type_traits>

#include <graft/io/json.hpp>

#include "support/method_options.hpp"

namespace compare {

namespace {

/// Visits all fields; NaN is null in JSON, which has no NaN.
template <class Self, class Visitor>
void visit(Self& row, Visitor const& visitor) {
  visitor("method", row.method), visitor("error", row.error), visitor("not_applicable", row.not_applicable),
      visitor("learning_rate", row.learning_rate);
  visitor("trainable", row.trainable), visitor("all", row.all), visitor("steps", row.steps);
  visitor("tokens_per_second", row.tokens_per_second), visitor("train_seconds", row.train_seconds),
      visitor("validation_seconds", row.validation_seconds);
  visitor("generation_seconds", row.generation_seconds), visitor("seconds", row.seconds),
      visitor("peak_memory_mib", row.peak_memory_mib);
  visitor("training_loss", row.training_loss), visitor("validation_loss", row.validation_loss);
  visitor("bleu", row.together.bleu), visitor("rouge_l", row.together.rouge_l), visitor("bleu_seen", row.seen.bleu),
      visitor("rouge_l_seen", row.seen.rouge_l);
  visitor("accuracy", row.together.accuracy), visitor("accuracy_seen", row.seen.accuracy),
      visitor("accuracy_unseen", row.unseen.accuracy);
  visitor("bleu_unseen", row.unseen.bleu), visitor("rouge_l_unseen", row.unseen.rouge_l),
      visitor("cut_sources", row.cut_sources), visitor("cut_targets", row.cut_targets);
  visitor("above_none", row.above_none), visitor("training_curve", row.training),
      visitor("validation_curve", row.validation), visitor("tuning", row.tuning), visitor("outputs", row.outputs);
}

}  // namespace

Json to_json(Row const& row) {
  Json json;
  visit(row, [&](char const* name, auto const& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, double>)
      json[name] = std::isfinite(field) ? Json(field) : Json();
    else
      json[name] = field;
  });
  json["trainable_percent"] = row.percent();
  return json;
}

namespace {

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

Row row_from_json(std::string const& where, nlohmann::json const& json) {
  Row row;
  visit(row, [&](char const* name, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, double>)
      field = graft::json_or<double>(where, json, name, unknown);
    else if constexpr (std::is_same_v<Field, Curve>)
      field = curve_from_json(where, json, name);
    else
      field = graft::json_at<Field>(where, json, name);
  });
  return row;
}

std::string title_of(std::string const& method) {
  static std::map<std::string, std::string> const titles{{none, "none"},
                                                         {few_shot, "few-shot"},
                                                         {"prefix_mlp", "prefix + MLP"},
                                                         {"embedding", "embedding-only"},
                                                         {"lora", "LoRA"},
                                                         {"bitfit", "BitFit"},
                                                         {"top_layers", "FT-TOP2"},
                                                         {"prefix_lora", "prefix + LoRA"},
                                                         {"ia3", "(IA)³"},
                                                         {"p_tuning", "P-tuning"},
                                                         {"parallel_adapter", "parallel adapter"},
                                                         {"mam", "MAM"}};
  auto const found = titles.find(method);
  return found == titles.end() ? method : found->second;
}

std::string summary_of(std::string const& method) {
  return method == few_shot ? "the base model with training examples in its context"
                            : graft::any::strategy_info(method).summary;
}

}  // namespace compare
