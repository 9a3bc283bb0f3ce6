#include "test_measures.hpp"

#include <graft/core/thread_pool.hpp>

namespace compare {

namespace {

/// The mean over runs as one metric: their numbers beside each other, `[examples, runs · width]`.
graft::SummedMetric mean_over_runs(std::vector<graft::SummedMetric const*> const& runs) {
  std::size_t const width = runs.front()->statistics.width;
  graft::SummedMetric mean{runs.front()->name,
                           {runs.size() * width, {}},
                           [width, of_sums = runs.front()->of_sums](std::span<double const> sums) {
                             double total = 0;
                             for (std::size_t at = 0; at < sums.size(); at += width)
                               total += of_sums(sums.subspan(at, width));
                             return total / static_cast<double>(sums.size() / width);
                           }};
  for (std::size_t i = 0; i < runs.front()->statistics.items(); ++i)
    for (auto const* run : runs) {
      auto const item = run->statistics.item(i);
      mean.statistics.values.insert(mean.statistics.values.end(), item.begin(), item.end());
    }
  return mean;
}

}  // namespace

template <class Act>
void TestMeasures::for_each_row(Act const& act) const {
  graft::parallel_for(static_cast<graft::Index>(report_.rows.size()), [&](graft::Index row) {
    for (std::size_t m = 0; m < report_.metrics.size(); ++m)
      if (report_.has(report_.metrics[m])) act(static_cast<std::size_t>(row), m);
  });
}

std::vector<TestMeasures::Place> TestMeasures::runs_with_outputs() const {
  std::vector<Place> places;
  for (std::size_t r = 0; r < report_.rows.size(); ++r)
    for (std::size_t i = 0; i < report_.rows[r].runs.size(); ++i) {
      Run const& run = report_.rows[r].runs[i];
      if (!run.has_no_results() && test_ < run.outputs.size() && !run.outputs[test_].empty()) places.push_back({r, i});
    }
  return places;
}

TestMeasures::TestMeasures(Report& report, std::size_t test)
    : report_(report),
      test_(test),
      places_(runs_with_outputs()),
      rows_(report.rows.size(), Measurements(report.metrics.size())) {
  std::vector<std::vector<std::string> const*> outputs;
  for (auto const& place : places_) outputs.push_back(&report.rows[place.row].runs[place.run].outputs[test]);
  measured_ = measure(report.choice, outputs, report.tests[test].examples, report.classes);
}

void TestMeasures::collect() {
  for (auto& row : report_.rows) {
    row.measures.emplace_back(report_.metrics.size());
    for (auto& one : row.measures.back()) one.runs.assign(row.runs.size(), unknown);
  }
  std::vector<std::vector<std::size_t>> of_rows(report_.rows.size());
  for (std::size_t p = 0; p < places_.size(); ++p) of_rows[places_[p].row].push_back(p);
  for_each_row([&](std::size_t r, std::size_t m) {
    std::vector<graft::SummedMetric const*> runs;
    for (std::size_t p : of_rows[r]) {
      runs.push_back(&measured_[p][m]);
      report_.rows[r].measures[test_][m].runs[places_[p].run] = runs.back()->score();
    }
    if (!runs.empty()) rows_[r][m] = mean_over_runs(runs);
  });
}

void TestMeasures::conclude(std::size_t against) {
  for_each_row([&](std::size_t r, std::size_t m) {
    auto const& metric = rows_[r][m];
    if (metric.statistics.items() == 0) return;
    Measure& measure = report_.rows[r].measures[test_][m];
    measure.spread = spread_of(measure.runs);
    measure.interval = metric.interval();
    if (against < rows_.size() && against != r && rows_[against][m].statistics.items() > 0)
      measure.difference = metric.compared_with(rows_[against][m]);
  });
}

void TestMeasures::add_to(std::vector<std::vector<Measurements>>& sums) const {
  for (std::size_t p = 0; p < places_.size(); ++p)
    for (std::size_t m = 0; m < report_.metrics.size(); ++m) {
      auto const& counted = measured_[p][m];
      auto& total = sums[places_[p].row][places_[p].run][m];
      if (counted.statistics.items() == 0) continue;
      auto more = counted.statistics.sums();
      for (std::size_t k = 0; k < total.statistics.values.size(); ++k) more[k] += total.statistics.values[k];
      total = {counted.name, {counted.statistics.width, std::move(more)}, counted.of_sums};
    }
}

}  // namespace compare
