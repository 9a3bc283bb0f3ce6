#include <algorithm>
#include <set>

#include <graft/core/thread_pool.hpp>

#include "report.hpp"
#include "test_measures.hpp"

namespace compare {

namespace {

/// What a run wrote for all test sets, measured as one: for metrics that weigh words by all references.
double measured_as_one(Report const& report, Run const& run, std::string const& metric) {
  std::vector<std::string> outputs;
  std::vector<graft::Example> examples;
  for (std::size_t t = 0; t < run.outputs.size(); ++t) {
    outputs.insert(outputs.end(), run.outputs[t].begin(), run.outputs[t].end());
    if (!run.outputs[t].empty())
      examples.insert(examples.end(), report.tests[t].examples.begin(), report.tests[t].examples.end());
  }
  return measure({{metric}, ""}, {&outputs}, examples, false).front().front().score();
}

/// The metrics on all test sets as one.
void measure_together(Report& report, std::vector<std::vector<Measurements>> const& sums) {
  graft::parallel_for(static_cast<graft::Index>(report.rows.size()), [&](graft::Index number) {
    Row& row = report.rows[static_cast<std::size_t>(number)];
    row.together.assign(report.metrics.size(), unknown);
    for (std::size_t m = 0; m < report.metrics.size(); ++m) {
      std::vector<double> scores;
      for (std::size_t i = 0; i < row.runs.size(); ++i) {
        auto const& total = sums[static_cast<std::size_t>(number)][i][m];
        if (total.statistics.items() == 0) continue;
        bool const anew = report.metrics[m].of_set && report.tests.size() > 1;
        scores.push_back(anew ? measured_as_one(report, row.runs[i], report.metrics[m].key) : total.score());
      }
      row.together[m] = spread_of(scores).mean;
    }
  });
}

void measure_rows(Report& report) {
  std::size_t against = 0;
  while (against < report.rows.size() && report.rows[against].title != report.against) ++against;
  std::vector<std::vector<Measurements>> sums;
  for (auto& row : report.rows) {
    row.measures.clear();
    sums.emplace_back(row.runs.size(), Measurements(report.metrics.size()));
  }
  for (std::size_t t = 0; t < report.tests.size(); ++t) {
    TestMeasures test(report, t);
    test.collect();
    test.conclude(against);
    test.add_to(sums);
  }
  measure_together(report, sums);
}

}  // namespace

std::size_t Report::tested() const {
  std::size_t count = 0;
  for (auto const& test : tests) count += test.examples.size();
  return count;
}

std::vector<std::uint64_t> Report::seeds() const {
  std::set<std::uint64_t> all;
  for (auto const& row : rows)
    if (row.trained())
      for (auto const& run : row.runs) all.insert(run.seed);
  return {all.begin(), all.end()};
}

std::vector<std::size_t> Report::shown_metrics() const {
  std::vector<std::size_t> shown;
  for (std::size_t m = 0; m < metrics.size(); ++m)
    if (classes ? metrics[m].key == accuracy : metrics[m].chosen) shown.push_back(m);
  return shown;
}

void evaluate(Report& report) {
  report.metrics = metrics_of(report.choice);
  measure_rows(report);
  for (Row& row : report.rows) {
    auto const base = std::find_if(report.rows.begin(), report.rows.end(), [&](Row const& other) {
      return other.spec.strategy.name == none && other.study == row.study;
    });
    row.above_none = row.trained() && !row.has_no_results() && base != report.rows.end() && !base->has_no_results() &&
                     !(row.spread(&Run::validation_loss).mean < base->spread(&Run::validation_loss).mean);
  }
}

}  // namespace compare
