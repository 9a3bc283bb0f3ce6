#include <cmath>

#include "report.hpp"

namespace compare {

namespace {

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json spread_json(Spread const& spread) {
  return {{"mean", finite(spread.mean)}, {"deviation", finite(spread.deviation)}, {"count", spread.count}};
}

Json measure_json(Measure const& measure) {
  Json json = spread_json(measure.spread);
  json["low"] = finite(measure.interval.low), json["high"] = finite(measure.interval.high);
  if (measure.difference)
    json["difference"] = {{"mean", finite(measure.difference->difference)},
                          {"low", finite(measure.difference->interval.low)},
                          {"high", finite(measure.difference->interval.high)},
                          {"p", finite(measure.difference->p)}};
  return json;
}

/// A run, with its outputs under the names of their test sets.
Json run_json(Run const& run, Report const& report) {
  Json json = to_json(run), outputs = Json::object();
  for (std::size_t t = 0; t < run.outputs.size(); ++t)
    if (!run.outputs[t].empty()) outputs[report.tests[t].name] = run.outputs[t];
  json["outputs"] = outputs;
  return json;
}

/// Means over seeds under the names of the runs' fields, and what belongs to the row as a whole.
Json row_json(Row const& row, Report const& report) {
  Run const& first = row.first();
  Json json{{"row", row.title},
            {"method", row.spec.strategy.name},
            {"strategy", to_string(row.spec.strategy)},
            {"settings", Json::object()}};
  for (auto const& [name, value] : row.spec.strategy.settings) json["settings"][name] = value;
  json["study"] = row.study;
  json["error"] = error_of(row);
  json["not_applicable"] = first.not_applicable;
  json["learning_rate"] = row.learning_rate;
  json["own_learning_rate"] = row.spec.learning_rate ? Json(*row.spec.learning_rate) : Json();
  json["trainable"] = first.trainable, json["all"] = first.all, json["steps"] = first.steps;
  json["trainable_percent"] = row.percent();
  Json deviations = Json::object();
  for (auto const& [name, member] : {std::pair("tokens_per_second", &Run::tokens_per_second),
                                     {"train_seconds", &Run::train_seconds},
                                     {"validation_seconds", &Run::validation_seconds},
                                     {"generation_seconds", &Run::generation_seconds},
                                     {"seconds", &Run::seconds},
                                     {"peak_memory_mib", &Run::peak_memory_mib},
                                     {"training_loss", &Run::training_loss},
                                     {"validation_loss", &Run::validation_loss}}) {
    Spread const spread = row.spread(member);
    json[name] = finite(spread.mean), deviations[name] = finite(spread.deviation);
  }
  json["deviation"] = deviations;
  Json scores = Json::object();
  for (std::size_t metric = 0; metric < report.metrics.size(); ++metric) {
    std::string const& key = report.metrics[metric].key;
    json[key] = finite(row.together[metric]);
    for (std::size_t t = 0; t < report.tests.size(); ++t) {
      json[key + "_" + report.tests[t].name] = finite(row.measures[t][metric].spread.mean);
      if (std::isfinite(row.measures[t][metric].spread.mean))
        scores[report.tests[t].name][key] = measure_json(row.measures[t][metric]);
    }
  }
  json["scores"] = scores;
  json["cut_sources"] = first.cut_sources, json["cut_targets"] = first.cut_targets;
  json["above_none"] = row.above_none;
  json["training_curve"] = first.training, json["validation_curve"] = first.validation, json["tuning"] = row.tuning;
  Json outputs = Json::array(), runs = Json::array();
  for (auto const& test : first.outputs)
    for (auto const& output : test) outputs.push_back(output);
  for (auto const& run : row.runs) runs.push_back(run_json(run, report));
  json["outputs"] = outputs;
  json["runs"] = runs;
  return json;
}

/// The chosen metrics: what each is, and whether it is shown in tables.
Json metrics_json(Report const& report) {
  Json json = Json::array();
  for (auto const& metric : report.metrics)
    json.push_back({{"name", metric.key},
                    {"title", metric.title},
                    {"definition", metric.help},
                    {"low_is_better", metric.low_is_better},
                    {"chosen", metric.chosen}});
  return json;
}

Json study_json(Study const& study, Report const& report) {
  return {{"name", study.name},         {"description", study.description},
          {"training", study.training}, {"validation", study.validation},
          {"quick", study.quick},       {"task", to_json(study.task)},
          {"files", study.files},       {"seeds", report.seeds()}};
}

}  // namespace

Json report_json(Report const& report) {
  Study const& study = report.studies.front();
  Task const& task = study.task;
  Json test = Json::array(), rows = Json::array(), sets = Json::array(), studies = Json::array();
  for (auto const& set : report.tests) {
    sets.push_back({{"name", set.name}, {"file", set.file}, {"examples", set.examples.size()}});
    for (auto const& example : set.examples)
      test.push_back({{"source", example.source},
                      {"references", example.references},
                      {"domain", example.domain},
                      {"test", set.name},
                      {"seen", set.name != "unseen"}});
  }
  for (auto const& row : report.rows) rows.push_back(row_json(row, report));
  for (auto const& one : report.studies) studies.push_back(study_json(one, report));
  Json data{{"name", task.data},          {"description", study.description},
            {"training", study.training}, {"validation", study.validation},
            {"test", report.tested()},    {"tests", sets}};
  support::DataReading::visit(task.reading, [&](char const* name, auto const& value) { data[name] = value; });
  return {{"format", 2},
          {"model", task.model},
          {"classes", report.classes},
          {"data", data},
          {"budget",
           {{"epochs", task.steps > 0 ? Json() : Json(task.epochs)},
            {"steps", task.steps > 0 ? Json(task.steps) : Json()},
            {"batch", task.batch},
            {"recompute", task.recompute},
            {"share_sources", task.share_sources},
            {"seeds", report.seeds()},
            {"split_seed", task.split_seed},
            {"max_new", task.max_new},
            {"shots", task.shots},
            {"separator", task.separator.value_or("")},
            {"device", to_string(task.placement.device)},
            {"dtype", to_string(task.placement.numbers)},
            {"quick", study.quick}}},
          {"metrics", metrics_json(report)},
          {"intervals",
           {{"method", "percentile bootstrap over test examples"},
            {"resamples", graft::BootstrapOptions{}.resamples},
            {"confidence", graft::BootstrapOptions{}.confidence},
            {"seed", graft::BootstrapOptions{}.seed},
            {"differences_from", report.against}}},
          {"studies", studies},
          {"rows", rows},
          {"test_examples", test}};
}

}  // namespace compare
