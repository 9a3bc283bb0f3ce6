#include <charconv>
#include <cmath>

#include "report.hpp"

namespace compare {

namespace {

std::string quoted(std::string const& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string result = "\"";
  for (char c : text) result += c == '"' ? std::string("\"\"") : std::string(1, c);
  return result + "\"";
}

/// As short as it can be told from others; empty where it is not known.
std::string csv_number(double value) {
  if (!std::isfinite(value)) return "";
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

class Line {
 public:
  void add(std::string const& text) { text_ += (begun_ ? "," : "") + quoted(text), begun_ = true; }
  void add(char const* text) { add(std::string(text)); }
  void add(double value) { add(csv_number(value)); }
  template <class Whole>
  requires std::is_integral_v<Whole> void add(Whole value) {
    add(std::to_string(value));
  }
  [[nodiscard]] std::string end() const { return text_ + "\r\n"; }

 private:
  std::string text_;
  bool begun_ = false;
};

std::string settings_of(Strategy const& strategy) {
  std::string text;
  for (auto const& [name, value] : strategy.settings) text += (text.empty() ? "" : ":") + name + "=" + value;
  return text;
}

std::string line_of(Report const& report, Row const& row, std::size_t number_of_run, std::size_t test) {
  Run const& run = row.runs[number_of_run];
  Study const& study = report.studies[row.study];
  bool const known = !run.has_no_results();
  auto const if_known = [&](double value) { return known ? value : unknown; };
  Line line;
  line.add(row.title), line.add(row.spec.strategy.name), line.add(settings_of(row.spec.strategy));
  line.add(study.task.model), line.add(study.task.data);
  line.add(row.trained() ? csv_number(run.learning_rate) : "");
  line.add(row.trained() ? std::to_string(run.seed) : "");
  line.add(study.task.split_seed);
  line.add(report.tests[test].name), line.add(report.tests[test].examples.size());
  line.add(if_known(static_cast<double>(run.trainable))), line.add(if_known(static_cast<double>(run.all)));
  line.add(if_known(static_cast<double>(run.steps)));
  line.add(run.tokens_per_second), line.add(if_known(static_cast<double>(run.threads)));
  line.add(if_known(run.train_seconds)), line.add(if_known(run.validation_seconds));
  line.add(if_known(run.generation_seconds)), line.add(if_known(run.seconds));
  line.add(run.peak_memory_mib), line.add(run.training_loss), line.add(run.validation_loss);
  for (auto const& measure : row.measures[test]) line.add(measure.runs[number_of_run]);
  for (auto const& measure : row.measures[test]) {
    line.add(measure.spread.mean), line.add(measure.spread.deviation);
    line.add(measure.interval.low), line.add(measure.interval.high);
  }
  line.add(run.failed() ? run.error : run.not_applicable);
  return line.end();
}

}  // namespace

std::string report_csv(Report const& report) {
  Line head;
  for (char const* name : {"row",
                           "strategy",
                           "settings",
                           "model",
                           "data",
                           "learning_rate",
                           "seed",
                           "split_seed",
                           "test",
                           "test_examples",
                           "trained_parameters",
                           "all_parameters",
                           "steps",
                           "tokens_per_second",
                           "threads",
                           "train_seconds",
                           "validation_seconds",
                           "generation_seconds",
                           "seconds",
                           "peak_memory_mib",
                           "training_loss",
                           "validation_loss"})
    head.add(name);
  for (auto const& metric : report.metrics) head.add(metric.key);
  for (auto const& metric : report.metrics)
    for (char const* part : {"_mean", "_deviation", "_low", "_high"}) head.add(metric.key + part);
  head.add("error");
  std::string text = head.end();
  for (auto const& row : report.rows)
    for (std::size_t run = 0; run < row.runs.size(); ++run)
      for (std::size_t test = 0; test < report.tests.size(); ++test) text += line_of(report, row, run, test);
  return text;
}

}  // namespace compare
