/// @file
/// @brief What is reported of one comparison or of several: JSON for programs, CSV for tables, a self-contained page
/// for people.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data.hpp"
#include "row.hpp"

namespace compare {

/// One comparison: what all its rows have in common.
struct Study {
  Task task;
  Json files;                                ///< checksums of all that was read
  std::string name, description;             ///< the folder it was written to, and of the data
  std::size_t training = 0, validation = 0;  ///< examples
  bool quick = false;
};

struct Report {
  std::vector<Study> studies;  ///< one, or all that were merged
  std::vector<TestSet> tests;
  std::vector<Row> rows;
  MetricChoice choice;
  std::vector<Metric> metrics;  ///< `metrics_of` the choice
  bool classes = false;         ///< whether the models are classifiers
  std::string against;          ///< the row that differences are measured from; empty where there is none

  [[nodiscard]] std::size_t tested() const;
  [[nodiscard]] bool merged() const { return studies.size() > 1; }
  /// Seeds that any row has, in order.
  [[nodiscard]] std::vector<std::uint64_t> seeds() const;
  /// The metrics that tables and plots show, as places in `metrics`: the chosen ones, or a classifier's accuracy.
  [[nodiscard]] std::vector<std::size_t> shown_metrics() const;
  /// Whether its rows have the metric: a classifier has accuracy alone.
  [[nodiscard]] bool has(Metric const& metric) const { return !classes || metric.key == accuracy; }
};

/// Computes all that follows from the runs and from `choice`: metrics with intervals and differences, and which rows
/// did not learn. The interval is the percentile bootstrap over test examples: 1,000 resamples, the same ones for all
/// rows (seed 0). A resample chooses examples; its score is the mean over seeds of the metric on them.
void evaluate(Report& report);

/// Settings, rows with runs, curves and outputs, and the test inputs with their references.
Json report_json(Report const& report);
/// What `report_json` wrote to a file, without what follows from the runs. @throws FileError for another file
Report read_report(std::filesystem::path const& file);

/// One line for each row, seed and test set, below a header; quoted as RFC 4180 has it.
std::string report_csv(Report const& report);

/// A page without anything from elsewhere: table, plots as inline SVG, samples; for light and dark screens.
std::string report_html(Report const& report);

}  // namespace compare
