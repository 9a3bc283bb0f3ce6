#include <algorithm>
#include <cmath>
#include <optional>

#include <graft/train/progress.hpp>

#include "page.hpp"
#include "plot.hpp"
#include "support/text.hpp"
#include "table.hpp"

namespace compare {

namespace {

Spread score_of(Row const& row, std::size_t metric, std::size_t test) {
  return test < row.measures.size() ? row.measures[test][metric].spread : Spread{};
}

/// "LoRA: 460,800 parameters, BLEU 35.3 ±1.2 on seen"
std::string tip_of(Report const& report, Row const& row, std::size_t number, std::size_t test) {
  Metric const& metric = report.metrics[number];
  Spread const score = score_of(row, number, test);
  std::string text = row.title + ": " + graft::grouped(row.first().trainable) + " parameters, " + metric.title + " " +
                     support::fixed(score.mean, metric.digits);
  if (std::isfinite(score.deviation)) text += " ±" + support::fixed(score.deviation, metric.digits);
  return text + (report.tests.size() > 1 ? " on " + report.tests[test].name : "");
}

/// One plot of a metric on one test set, or on two: filled and hollow.
std::string quality_plot(Report const& report, std::size_t number, std::size_t filled,
                         std::optional<std::size_t> hollow, double width) {
  Metric const& metric = report.metrics[number];
  std::vector<double> parameters, scores{0};
  auto const each = [&](auto const& act) {
    for (std::size_t r = 0; r < report.rows.size(); ++r)
      if (!report.rows[r].has_no_results()) act(r, report.rows[r]);
  };
  auto const add = [&](Spread const& score) {
    scores.push_back(score.mean);
    if (std::isfinite(score.deviation)) scores.push_back(score.mean + score.deviation);
  };
  each([&](std::size_t, Row const& row) {
    if (row.trained()) parameters.push_back(static_cast<double>(row.first().trainable));
    add(score_of(row, number, filled));
    if (hollow) add(score_of(row, number, *hollow));
  });
  Plot plot(axis_around(parameters, "trained parameters", true), axis_around(scores, metric.title), width, 420, 24);
  bool const many = report.rows.size() > 2 * many_rows;  // bars and links would hide the dots
  if (many) plot.use_small_dots();
  auto const draw = [&](Row const& row, std::size_t test, bool is_filled) {
    auto const p = static_cast<double>(row.first().trainable);
    Spread const score = score_of(row, number, test);
    if (!many) plot.error_bar(p, score.mean - score.deviation, score.mean + score.deviation, colour_of(row));
    plot.dot(p, score.mean, colour_of(row), is_filled, tip_of(report, row, number, test));
  };
  each([&](std::size_t, Row const& row) {
    if (row.trained()) return;
    double const level = score_of(row, number, filled).mean;
    plot.level(level, colour_of(row), row.title + " " + support::fixed(level, metric.digits));
  });
  each([&](std::size_t, Row const& row) {
    if (!row.trained()) return;
    auto const p = static_cast<double>(row.first().trainable);
    if (hollow) {
      if (!many)
        plot.link(p, score_of(row, number, filled).mean, p, score_of(row, number, *hollow).mean, colour_of(row));
      draw(row, *hollow, false);
    }
    draw(row, filled, true);
  });
  auto const named = named_rows(report);
  each([&](std::size_t r, Row const& row) {
    if (row.trained() && named[r])
      plot.name_dot(static_cast<double>(row.first().trainable), score_of(row, number, filled).mean, colour_of(row),
                    row.title);
  });
  return plot.svg(metric.title + " against the number of trained parameters");
}

/// Each point is the mean of the losses around it: over a tenth of the steps, at least three where there are enough.
Curve smoothed(Curve const& curve) {
  std::size_t const reach = std::max<std::size_t>(curve.size() / 20, curve.size() >= 10 ? 1 : 0);
  Curve result;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    std::size_t const first = i - std::min(i, reach), last = std::min(curve.size(), i + reach + 1);
    double sum = 0;
    for (std::size_t k = first; k < last; ++k) sum += curve[k].second;
    result.emplace_back(curve[i].first, sum / static_cast<double>(last - first));
  }
  return result;
}

/// The mean over seeds of a curve, as far as all have it.
Curve mean_curve(Row const& row, Curve Run::* member) {
  auto const runs = row.finished();
  std::size_t points = (runs.front()->*member).size();
  for (Run const* run : runs) points = std::min(points, (run->*member).size());
  Curve mean;
  for (std::size_t i = 0; i < points; ++i) {
    double sum = 0;
    for (Run const* run : runs) sum += (run->*member)[i].second;
    mean.emplace_back((runs.front()->*member)[i].first, sum / static_cast<double>(runs.size()));
  }
  return mean;
}

std::string loss_plot(Report const& report, Curve Run::* member, bool smooth, char const* title, char const* note,
                      double untrained) {
  std::vector<double> steps{0}, losses;
  std::vector<Curve> curves;
  double margin = 60;
  auto const named = named_rows(report);
  if (std::isfinite(untrained)) losses.push_back(untrained);
  for (std::size_t r = 0; r < report.rows.size(); ++r) {
    Row const& row = report.rows[r];
    curves.emplace_back();
    if (row.has_no_results() || !row.trained()) continue;
    curves.back() = mean_curve(row, member);
    if (smooth) curves.back() = smoothed(curves.back());
    for (auto const& [step, loss] : curves.back()) steps.push_back(step), losses.push_back(loss);
    if (named[r]) margin = std::max(margin, std::min(200.0, label_width(row.title) + 16));
  }
  Axis x = axis_around(steps, "step");
  x.low = 0, x.high = *std::max_element(steps.begin(), steps.end());
  if (x.high <= 0) x.high = 1;
  Plot plot(x, axis_around(losses, "loss"), 560, 380, margin);
  plot.level(untrained, 0, "none " + support::fixed(untrained, 2));
  for (bool names : {false, true})  // named ones lie above the others
    for (std::size_t r = 0; r < report.rows.size(); ++r)
      if (named[r] == names) plot.line(curves[r], colour_of(report.rows[r]), report.rows[r].title, names);
  return std::string("<div class=\"card\"><h3>") + title + "</h3><p class=\"soft\">" + note + "</p>" + plot.svg(title) +
         "</div>\n";
}

}  // namespace

std::string quality_html(Report const& report) {
  std::string const bars =
      report.seeds().size() > 1 && report.rows.size() <= 2 * many_rows ? " Bars: standard deviation over seeds." : "";
  bool const two = report.tests.size() == 2, generated = report.studies.front().task.data == "generated";
  std::string const sets =
      !two        ? ""
      : generated ? "Filled: domains of the training set; hollow: the domain without training examples. "
                  : "Filled: " + escaped(report.tests[0].name) + "; hollow: " + escaped(report.tests[1].name) + ". ";
  auto const plots = [&](std::size_t metric) {
    if (report.tests.size() <= 2)
      return "<div class=\"card scroll wide\">" +
             quality_plot(report, metric, 0, two ? std::optional<std::size_t>(1) : std::nullopt, 1120) + "</div>\n";
    std::string text = "<div class=\"pair\">\n";
    for (std::size_t t = 0; t < report.tests.size(); ++t)
      text += "<div class=\"card\"><h3>" + escaped(report.tests[t].name) + "</h3>" +
              quality_plot(report, metric, t, std::nullopt, 560) + "</div>\n";
    return text + "</div>\n";
  };
  return "<h2>Quality against trained parameters</h2>\n<p class=\"soft\">" + sets + "Dashed: without training." + bars +
         naming_note(report) + "</p>\n" + plots(report.shown_metrics().front()) + other_metrics(report, plots);
}

std::string losses_html(Report const& report) {
  double untrained = unknown;
  for (auto const& row : report.rows)
    if (row.spec.strategy.name == none && !row.has_no_results() && !report.merged())
      untrained = row.spread(&Run::validation_loss).mean;
  std::string text = "<h2>Loss</h2>\n";
  if (report.rows.size() > many_rows) text += "<p class=\"soft\">" + naming_note(report) + "</p>\n";
  text += "<div class=\"pair\">\n";
  text += loss_plot(report, &Run::training, true, "Training",
                    "Mean −log p of a target token, smoothed over neighbouring steps.", unknown);
  text += loss_plot(report, &Run::validation, false, "Validation",
                    "The same on held-out examples; dashed: the untrained model.", untrained);
  return text + "</div>\n";
}

}  // namespace compare
