#include <algorithm>
#include <set>

#include <graft/core/thread_pool.hpp>

#include "report.hpp"

namespace compare {

namespace {

/// The numbers of all finished runs of a row beside each other: `[examples, runs · item_width]`.
graft::ItemStatistics beside_each_other(std::vector<graft::ItemStatistics> const& runs) {
  graft::ItemStatistics all{runs.size() * item_width, {}};
  for (std::size_t i = 0; i < runs.front().items(); ++i)
    for (auto const& run : runs) {
      auto const item = run.item(i);
      all.values.insert(all.values.end(), item.begin(), item.end());
    }
  return all;
}

/// The mean over runs of a metric, from sums `[runs · item_width]`.
double mean_score(std::span<double const> sums, MetricIndex metric, bool classes) {
  double total = 0;
  std::size_t const runs = sums.size() / item_width;
  for (std::size_t r = 0; r < runs; ++r) total += scores_of(sums.subspan(r * item_width, item_width), classes)[metric];
  return total / static_cast<double>(runs);
}

/// The numbers of a row on one test set; without items where it has none.
graft::ItemStatistics statistics_of(Report const& report, Row const& row, std::size_t test) {
  std::vector<graft::ItemStatistics> runs;
  for (Run const* run : row.finished())
    if (test < run->outputs.size() && !run->outputs[test].empty())
      runs.push_back(item_statistics(run->outputs[test], report.tests[test].examples, report.classes));
  return runs.empty() ? graft::ItemStatistics{item_width, {}} : beside_each_other(runs);
}

Measure measured(graft::ItemStatistics const& statistics, MetricIndex metric, bool classes) {
  Measure measure;
  auto const sums = statistics.sums();
  std::vector<double> values;
  for (std::size_t at = 0; at < sums.size(); at += item_width)
    values.push_back(scores_of(std::span(sums).subspan(at, item_width), classes)[metric]);
  measure.spread = spread_of(values);
  measure.interval = graft::bootstrap_interval(
      statistics, [&](std::span<double const> chosen) { return mean_score(chosen, metric, classes); });
  return measure;
}

graft::PairedDifference difference(graft::ItemStatistics const& row, graft::ItemStatistics const& other,
                                   MetricIndex metric, bool classes) {
  auto const score = [&](graft::ItemStatistics const& statistics) {
    return [&, total = std::vector<double>()](std::span<std::size_t const> chosen) mutable {
      total.assign(statistics.width, 0.0);
      for (std::size_t i : chosen) {
        auto const item = statistics.item(i);
        for (std::size_t k = 0; k < item.size(); ++k) total[k] += item[k];
      }
      return mean_score(total, metric, classes);
    };
  };
  auto first = score(row), second = score(other);
  return graft::paired_bootstrap(
      row.items(), [&](auto chosen) { return first(chosen); }, [&](auto chosen) { return second(chosen); });
}

void measure_rows(Report& report) {
  auto const count = static_cast<graft::Index>(report.rows.size());
  std::size_t against = 0;
  while (against < report.rows.size() && report.rows[against].title != report.against) ++against;
  std::vector<std::vector<double>> sums(report.rows.size());  // over all test sets
  std::vector<graft::ItemStatistics> statistics(report.rows.size());
  for (std::size_t t = 0; t < report.tests.size(); ++t) {
    graft::parallel_for(count, [&](graft::Index row) {
      auto const r = static_cast<std::size_t>(row);
      statistics[r] = statistics_of(report, report.rows[r], t);
      report.rows[r].measures.emplace_back();
    });
    graft::parallel_for(count, [&](graft::Index row) {
      auto const r = static_cast<std::size_t>(row);
      if (statistics[r].items() == 0) return;
      auto const own = statistics[r].sums();
      sums[r].resize(std::max(sums[r].size(), own.size()), 0.0);
      for (std::size_t k = 0; k < own.size(); ++k) sums[r][k] += own[k];
      for (MetricIndex metric : report.known_metrics()) {
        Measure& measure = report.rows[r].measures[t][metric];
        measure = measured(statistics[r], metric, report.classes);
        if (against < statistics.size() && against != r && statistics[against].items() > 0)
          measure.difference = difference(statistics[r], statistics[against], metric, report.classes);
      }
    });
  }
  for (std::size_t r = 0; r < report.rows.size(); ++r)
    for (MetricIndex metric : report.known_metrics())
      if (!sums[r].empty()) report.rows[r].together[metric] = mean_score(sums[r], metric, report.classes);
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

std::vector<MetricIndex> Report::known_metrics() const {
  if (classes) return {accuracy};
  return {bleu, rouge_l, accuracy};
}

void evaluate(Report& report) {
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
