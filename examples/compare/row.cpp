#include "row.hpp"

#include <algorithm>
#include <cmath>

#include <graft/core/error.hpp>

namespace compare {

Spread spread_of(std::vector<double> const& values) {
  Spread spread;
  double sum = 0, squares = 0;
  for (double value : values)
    if (std::isfinite(value)) sum += value, ++spread.count;
  if (spread.count == 0) return spread;
  auto const count = static_cast<double>(spread.count);
  spread.mean = sum / count;
  for (double value : values)
    if (std::isfinite(value)) squares += (value - spread.mean) * (value - spread.mean);
  if (spread.count > 1) spread.deviation = std::sqrt(squares / (count - 1));
  return spread;
}

std::vector<Run const*> Row::finished() const {
  std::vector<Run const*> result;
  for (auto const& run : runs)
    if (!run.has_no_results()) result.push_back(&run);
  return result;
}

std::size_t Row::failures() const {
  return static_cast<std::size_t>(std::count_if(runs.begin(), runs.end(), [](Run const& run) { return run.failed(); }));
}

Run const& Row::first() const {
  auto const all = finished();
  return all.empty() ? runs.front() : *all.front();
}

Spread Row::spread(double Run::* member) const {
  std::vector<double> values;
  for (Run const* run : finished()) values.push_back(run->*member);
  return spread_of(values);
}

double Row::percent() const {
  Run const& run = first();
  return run.all > 0 ? 100.0 * static_cast<double>(run.trainable) / static_cast<double>(run.all) : 0.0;
}

std::string error_of(Row const& row) {
  auto const failed = std::find_if(row.runs.begin(), row.runs.end(), [](Run const& run) { return run.failed(); });
  if (failed == row.runs.end()) return "";
  return row.runs.size() == 1
             ? failed->error
             : graft::cat(row.failures(), " of ", row.runs.size(), " seeds; seed ", failed->seed, ": ", failed->error);
}

std::string warning_of(Row const& row) {
  if (auto const error = error_of(row); !error.empty()) return "failed: " + error;
  if (!row.first().not_applicable.empty()) return "n/a: " + row.first().not_applicable;
  if (row.above_none)
    return "trained, but its validation loss is not below that of the untrained model: try another learning rate "
           "(--tune) or more steps";
  return "";
}

}  // namespace compare
