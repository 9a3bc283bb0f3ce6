#include "report.hpp"

namespace compare {

Json report_json(Report const& report) {
  auto const& task = report.settings.task;
  Json test = Json::array(), rows = Json::array();
  for (std::size_t i = 0; i < report.examples.test.size(); ++i) {
    auto const& example = report.examples.test[i];
    test.push_back({{"source", example.source},
                    {"references", example.references},
                    {"domain", example.domain},
                    {"seen", i < report.examples.seen}});
  }
  for (auto const& row : report.rows) rows.push_back(to_json(row));
  return {{"format", 1},
          {"model", task.model},
          {"data",
           {{"name", task.data},
            {"description", report.examples.description},
            {"training", report.examples.training.size()},
            {"validation", report.examples.validation.size()},
            {"test", report.examples.test.size()},
            {"test_seen", report.examples.seen}}},
          {"budget",
           {{"epochs", task.steps > 0 ? Json() : Json(task.epochs)},
            {"steps", task.steps > 0 ? Json(task.steps) : Json()},
            {"batch", task.batch},
            {"recompute", task.recompute},
            {"seed", task.seed},
            {"max_new", task.max_new},
            {"shots", task.shots},
            {"separator", task.separator.value_or("")},
            {"quick", report.settings.quick}}},
          {"rows", rows},
          {"test_examples", test}};
}

}  // namespace compare
