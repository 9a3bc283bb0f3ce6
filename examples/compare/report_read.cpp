#include <algorithm>

#include <graft/io/json.hpp>
#include <graft/text/printable.hpp>

#include "report.hpp"

namespace compare {

namespace {

using graft::json_at;
using Value = nlohmann::json;

std::vector<TestSet> tests_from_json(std::string const& where, Value const& json) {
  std::vector<TestSet> tests;
  for (auto const& set : json_at<Value>(where, json_at<Value>(where, json, "data"), "tests"))
    tests.push_back({json_at<std::string>(where, set, "name"), json_at<std::string>(where, set, "file"), {}});
  for (auto const& one : json_at<Value>(where, json, "test_examples")) {
    std::string const name = json_at<std::string>(where, one, "test");
    auto const set = std::find_if(tests.begin(), tests.end(), [&](TestSet const& test) { return test.name == name; });
    auto references = json_at<std::vector<std::string>>(where, one, "references");
    if (set == tests.end() || references.empty())
      graft::fail<graft::FileError>("[", where, "] has a test example of the set ", name, " with ", references.size(),
                                    " references; expected a set that is listed, and references");
    std::string target = references.front();
    set->examples.push_back({json_at<std::string>(where, one, "source"), std::move(target), std::move(references),
                             json_at<std::string>(where, one, "domain")});
  }
  return tests;
}

/// The names of the chosen metrics; those of reports that do not say are the standard ones.
/// @throws FileError for a metric that this program does not have
std::vector<std::string> metrics_from_json(std::string const& where, Value const& json) {
  std::vector<std::string> chosen;
  auto const known = metric_names();
  if (!json.contains("metrics")) return MetricChoice{}.names;
  for (auto const& metric : json_at<Value>(where, json, "metrics")) {
    auto const name = json_at<std::string>(where, metric, "name");
    if (!json_at<bool>(where, metric, "chosen")) continue;
    if (std::find(known.begin(), known.end(), name) == known.end())
      graft::fail<graft::FileError>("[", where, "] has the metric ", graft::printable(name),
                                    ", which this program lacks; expected one of its own");
    chosen.push_back(name);
  }
  return chosen;
}

Study study_from_json(std::string const& where, Value const& json) {
  Study study;
  study.task = task_from_json(where, json_at<Value>(where, json, "task"));
  auto const files = json_at<Value>(where, json, "files");
  if (!files.is_object())
    graft::fail<graft::FileError>("[", where, "] has no object at the key \"files\"; expected one");
  study.files = Json(files);
  study.name = json_at<std::string>(where, json, "name");
  study.description = json_at<std::string>(where, json, "description");
  study.training = json_at<std::size_t>(where, json, "training");
  study.validation = json_at<std::size_t>(where, json, "validation");
  study.quick = json_at<bool>(where, json, "quick");
  return study;
}

/// A run, whose outputs stand under the names of their test sets.
Run run_of_report(std::string const& where, Value json, Report const& report) {
  Value outputs = Value::array();
  for (auto const& test : report.tests) {
    auto texts = graft::json_or<std::vector<std::string>>(where, json_at<Value>(where, json, "outputs"), test.name, {});
    if (!texts.empty() && texts.size() != test.examples.size())
      graft::fail<graft::FileError>("[", where, "] has ", texts.size(), " outputs of the test set ", test.name,
                                    "; expected one for each of its ", test.examples.size(), " examples");
    outputs.push_back(std::move(texts));
  }
  json["outputs"] = std::move(outputs);
  return run_from_json(where, json);
}

Row row_from_json(std::string const& where, Value const& json, Report const& report) {
  Row row;
  row.spec.strategy = parse_strategy(json_at<std::string>(where, json, "strategy"));
  row.spec.asked = to_string(row.spec.strategy);
  if (!json_at<Value>(where, json, "own_learning_rate").is_null())
    row.spec.learning_rate = json_at<double>(where, json, "own_learning_rate");
  row.title = json_at<std::string>(where, json, "row");
  row.study = json_at<std::size_t>(where, json, "study");
  row.learning_rate = json_at<double>(where, json, "learning_rate");
  for (auto const& pair : json_at<std::vector<Value>>(where, json, "tuning"))
    if (pair.is_array() && pair.size() == 2 && pair[0].is_number())
      row.tuning.emplace_back(pair[0].get<double>(), pair[1].is_number() ? pair[1].get<double>() : unknown);
  for (auto const& run : json_at<Value>(where, json, "runs")) row.runs.push_back(run_of_report(where, run, report));
  if (row.runs.empty() || row.study >= report.studies.size())
    graft::fail<graft::FileError>("[", where, "] has a row without runs or a study; got ", row.title,
                                  "; expected at least one run, of a study that is listed");
  return row;
}

}  // namespace

Report read_report(std::filesystem::path const& file) {
  auto const json = graft::read_json(file);
  std::string const where = file.string();
  if (auto const format = json_at<Index>(where, json, "format"); format != 2)
    graft::fail<graft::FileError>("[", where, "] has format ", format,
                                  "; expected 2; hint: run compare again in its folder");
  Report report;
  report.classes = json_at<bool>(where, json, "classes");
  report.choice.names = metrics_from_json(where, json);
  report.tests = tests_from_json(where, json);
  for (auto const& study : json_at<Value>(where, json, "studies"))
    report.studies.push_back(study_from_json(where, study));
  if (report.studies.empty()) graft::fail<graft::FileError>("[", where, "] has no studies; expected at least one");
  for (auto const& row : json_at<Value>(where, json, "rows")) report.rows.push_back(row_from_json(where, row, report));
  return report;
}

}  // namespace compare
