#include "scoring.hpp"

#include <algorithm>

#include <graft/core/error.hpp>
#include <graft/core/thread_pool.hpp>

#include "support/measure_texts.hpp"

namespace compare {

namespace {

support::TextMetric const* find(std::string const& name) {
  auto const* const found = std::find_if(support::text_metrics.begin(), support::text_metrics.end(),
                                         [&](support::TextMetric const& metric) { return metric.name == name; });
  return found == support::text_metrics.end() ? nullptr : found;
}

/// "BLEU: n-grams of 1 to 4 words, percent"; the two whose tokens are chosen here say which.
std::string help_of(support::TextMetric const& metric) {
  bool const tokens = metric.name == "bleu" || metric.name == "nist";
  return std::string(metric.help) + (tokens ? "; sacreBLEU's tokenization, lower-cased" : "");
}

/// The options of the chosen metrics that read files, or of those that do not.
support::MetricSettings settings_of(MetricChoice const& choice, bool reads_files) {
  support::MetricSettings settings;
  settings.tokenization = "sacrebleu", settings.lowercase = true, settings.meteor_data = choice.meteor_data;
  for (auto const& name : choice.names)
    if (auto const* const metric = find(name); metric && metric->reads_files == reads_files)
      settings.metrics.emplace_back(metric->family);
  return settings;
}

/// 100 for an output that is one of its references, else 0; the mean over examples.
graft::SummedMetric accuracy_of(std::vector<std::string> const& outputs, std::vector<graft::Example> const& examples) {
  graft::SummedMetric metric{accuracy, {2, {}}, [](std::span<double const> sums) { return sums[0] / sums[1]; }};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto const& references = examples[i].references;
    bool const right = std::find(references.begin(), references.end(), outputs[i]) != references.end();
    metric.statistics.values.insert(metric.statistics.values.end(), {right ? 100.0 : 0.0, 1.0});
  }
  return metric;
}

support::References references_of(std::vector<graft::Example> const& examples, std::size_t times) {
  support::References references;
  for (std::size_t i = 0; i < times; ++i)
    for (auto const& example : examples) references.lists.push_back(example.references);
  return references;  // the other form is for tokens that are not chosen here
}

/// Puts what was measured into the places of its metrics.
void put(support::Measured const& measured, std::vector<Metric> const& metrics, Measurements& places) {
  for (std::size_t m = 0; m < metrics.size(); ++m)
    if (auto const* const metric = find(metrics[m].key))
      for (auto const& [key, counted] : measured.metrics)
        if (key == metric->key) places[m] = counted;
}

/// The items of the run with number `run` out of those of several.
support::Measured part_of(support::Measured const& all, std::size_t run, std::size_t items) {
  support::Measured part;
  for (auto const& [key, metric] : all.metrics) {
    std::size_t const count = items * metric.statistics.width;
    auto const first = metric.statistics.values.begin() + static_cast<std::ptrdiff_t>(run * count);
    part.metrics.push_back(
        {key,
         {metric.name,
          {metric.statistics.width, std::vector<double>(first, first + static_cast<std::ptrdiff_t>(count))},
          metric.of_sums}});
  }
  return part;
}

}  // namespace

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (auto const& metric : support::text_metrics) names.emplace_back(metric.name);
  names.emplace_back(accuracy);
  for (auto const& family : support::metric_families())
    if (!find(family)) names.push_back(family);
  return names;
}

std::vector<std::string> single_metrics(std::vector<std::string> const& names) {
  std::vector<std::string> single;
  for (auto const& name : names) {
    if (name == accuracy || find(name)) {
      single.push_back(name);
      continue;
    }
    for (auto const& metric : support::text_metrics)
      if (metric.family == name) single.emplace_back(metric.name);
  }
  return single;
}

std::vector<Metric> metrics_of(MetricChoice const& choice) {
  std::vector<Metric> metrics;
  Metric const right{accuracy, accuracy, "share of the outputs that are one of their references"};
  for (auto const& name : choice.names) {
    if (auto const* const metric = find(name))
      metrics.push_back({name, std::string(metric->title), help_of(*metric), metric->digits, metric->low_is_better,
                         true, metric->of_set});
    else
      metrics.push_back(right);
  }
  if (std::find(choice.names.begin(), choice.names.end(), accuracy) == choice.names.end()) {
    metrics.push_back(right);
    metrics.back().chosen = false;
  }
  return metrics;
}

void check_metrics(MetricChoice const& choice) {
  if (auto const settings = settings_of(choice, true); !settings.metrics.empty())
    static_cast<void>(support::measure(settings, {"a"}, {{{"a"}}, {}}));
  if (auto const settings = settings_of(choice, false); !settings.metrics.empty())
    static_cast<void>(support::measure(settings, {"a"}, {{{"a"}}, {}}));
}

std::vector<Measurements> measure(MetricChoice const& choice, std::vector<std::vector<std::string> const*> const& runs,
                                  std::vector<graft::Example> const& examples, bool classes) {
  auto const metrics = metrics_of(choice);
  std::vector<Measurements> all(runs.size(), Measurements(metrics.size()));
  auto const settings = settings_of(choice, false), reading = settings_of(choice, true);
  auto const references = references_of(examples, 1);
  graft::parallel_for(static_cast<graft::Index>(runs.size()), [&](graft::Index run) {
    auto const r = static_cast<std::size_t>(run);
    if (!classes && !settings.metrics.empty()) put(support::measure(settings, *runs[r], references), metrics, all[r]);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      if (metrics[m].key == accuracy) all[r][m] = accuracy_of(*runs[r], examples);
  });
  if (classes || reading.metrics.empty() || runs.empty()) return all;
  std::vector<std::string> outputs;  // of all runs: files are read once
  for (auto const* run : runs) outputs.insert(outputs.end(), run->begin(), run->end());
  auto const measured = support::measure(reading, outputs, references_of(examples, runs.size()));
  for (std::size_t r = 0; r < runs.size(); ++r) put(part_of(measured, r, examples.size()), metrics, all[r]);
  return all;
}

}  // namespace compare
