#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include <graft/train/progress.hpp>

#include "page_style.hpp"
#include "plot.hpp"
#include "report.hpp"
#include "support/text.hpp"
#include "table.hpp"

namespace compare {

namespace {

/// A strategy has the same colour in every report.
int colour_of(std::string const& method) {
  static std::map<std::string, int> const colours{
      {none, 0},           {few_shot, 1}, {"prefix", 2},      {"prefix_mlp", 3},
      {"prompt", 4},       {"infix", 5},  {"embedding", 6},   {"adapter", 7},
      {"lora", 8},         {"full", 9},   {"top_layers", 10}, {"bitfit", 11},
      {"prefix_lora", 12}, {"ia3", 13},   {"p_tuning", 14},   {"parallel_adapter", 15},
      {"mam", 16}};
  auto const found = colours.find(method);
  return found == colours.end() ? 0 : found->second;
}

std::string head(std::string const& title) {
  std::string style = page_style;
  for (int i = 0; i < series_colours; ++i)
    style += ".c" + std::to_string(i) + " { color: var(--c" + std::to_string(i) + "); }\n";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, "
         "initial-scale=1\">\n<title>" +
         escaped(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n";
}

std::string introduction(Report const& report) {
  auto const& task = report.settings.task;
  auto const count = [](std::size_t n) { return graft::grouped(static_cast<Index>(n)); };
  std::string const budget = task.steps > 0 ? graft::grouped(task.steps) + " steps"
                                            : std::to_string(task.epochs) + (task.epochs == 1 ? " pass" : " passes") +
                                                  " over " + count(report.examples.training.size()) + " examples";
  double seconds = 0;
  for (auto const& row : report.rows) seconds += row.seconds;
  std::string data = report.examples.description;
  if (!data.empty() && data[0] >= 'a' && data[0] <= 'z' && task.data == "generated")
    data[0] = static_cast<char>(data[0] - 'a' + 'A');
  return "<h1>Ways to adapt " + escaped(std::filesystem::path(task.model).filename().string()) +
         "</h1>\n<p class=\"soft\">" + escaped(data) + ". Every strategy was trained for " + budget +
         " in batches of " + std::to_string(task.batch) + " (AdamW, linear schedule, seed " +
         std::to_string(task.seed) + "), validated on " + count(report.examples.validation.size()) +
         " examples, and wrote " + count(report.examples.test.size()) + " test outputs by greedy search; " +
         graft::clock_time(seconds) + " in all.</p>\n";
}

std::string table_html(Report const& report) {
  auto const all = columns(report.test());
  std::string text =
      "<h2>Results</h2>\n<p class=\"soft\">Shaded: the best of the trained rows.</p>\n<div class=\"card "
      "scroll\"><table>\n<tr><th>strategy</th>";
  for (auto const& column : all)
    text += "<th title=\"" + escaped(column.help) + "\">" + escaped(column.title) + "<small>" + escaped(column.unit) +
            "</small></th>";
  text += "</tr>\n";
  std::string warnings;
  for (auto const& row : report.rows) {
    text += "<tr><td title=\"" + escaped(summary_of(row.method)) + "\"><span class=\"key c" +
            std::to_string(colour_of(row.method)) + "\"></span>" + escaped(title_of(row.method)) +
            (warning_of(row).empty() ? "" : " ⚠") + "</td>";
    if (row.has_no_results())
      text +=
          "<td class=\"failed\" colspan=\"" + std::to_string(all.size()) + "\">" + escaped(warning_of(row)) + "</td>";
    else
      for (auto const& column : all)
        text += std::string("<td") + (is_best(column, row, report.rows) ? " class=\"best\">" : ">") +
                escaped(column.text(row)) + "</td>";
    text += "</tr>\n";
    if (!row.has_no_results() && row.above_none)
      warnings += "<p class=\"warn\">⚠ " + escaped(title_of(row.method)) + ": " + escaped(warning_of(row)) + ".</p>\n";
  }
  return text + "</table></div>\n" + warnings;
}

/// Quality over the number of trained parameters; untrained rows are levels.
std::string quality_plot(Report const& report) {
  bool const unseen = report.has_unseen();
  bool const classes = report.has_classes();
  auto const of = [&](Scores const& scores) { return classes ? scores.accuracy : scores.bleu; };
  auto const bleu = [&](Row const& row) { return of(unseen ? row.seen : row.together); };
  std::string const metric = classes ? "accuracy" : "BLEU";
  std::vector<double> parameters, scores{0};
  for (auto const& row : report.rows) {
    if (row.has_no_results()) continue;
    if (is_trained(row.method)) parameters.push_back(static_cast<double>(row.trainable));
    scores.push_back(bleu(row));
    if (unseen) scores.push_back(of(row.unseen));
  }
  Axis x = axis_around(parameters, "trained parameters", true);
  Plot plot(x, axis_around(scores, metric.c_str()), 1120, 420, 24);
  for (auto const& row : report.rows)
    if (!row.has_no_results() && !is_trained(row.method))
      plot.level(bleu(row), colour_of(row.method), title_of(row.method) + " " + support::fixed(bleu(row), 1));
  for (auto const& row : report.rows) {
    if (row.has_no_results() || !is_trained(row.method)) continue;
    auto const p = static_cast<double>(row.trainable);
    std::string const tip =
        title_of(row.method) + ": " + graft::grouped(row.trainable) + " parameters, " + metric + " ";
    if (unseen) {
      plot.link(p, bleu(row), p, of(row.unseen), colour_of(row.method));
      plot.dot(p, of(row.unseen), colour_of(row.method), false,
               tip + support::fixed(of(row.unseen), 1) + " on the unseen domain");
    }
    plot.dot(p, bleu(row), colour_of(row.method), true,
             tip + support::fixed(bleu(row), 1) + (unseen ? " on seen domains" : ""));
  }
  for (auto const& row : report.rows)
    if (!row.has_no_results() && is_trained(row.method))
      plot.name_dot(static_cast<double>(row.trainable), bleu(row), colour_of(row.method), title_of(row.method));
  return std::string("<h2>Quality against trained parameters</h2>\n<p class=\"soft\">") +
         (unseen ? "Filled: domains of the training set; hollow: the domain without training examples. " : "") +
         "Dashed: without training.</p>\n<div class=\"card\">" +
         plot.svg(metric + " against the number of trained parameters") + "</div>\n";
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

std::string loss_plot(Report const& report, Curve (*curve_of)(Row const&), char const* title, char const* note,
                      double untrained) {
  std::vector<double> steps{0}, losses;
  if (std::isfinite(untrained)) losses.push_back(untrained);
  for (auto const& row : report.rows)
    if (!row.has_no_results())
      for (auto const& [step, loss] : curve_of(row)) steps.push_back(step), losses.push_back(loss);
  Axis x = axis_around(steps, "step");
  x.low = 0, x.high = *std::max_element(steps.begin(), steps.end());
  if (x.high <= 0) x.high = 1;
  Plot plot(x, axis_around(losses, "loss"), 560, 380, 112);
  plot.level(untrained, colour_of(none), "none " + support::fixed(untrained, 2));
  for (auto const& row : report.rows)
    if (!row.has_no_results() && is_trained(row.method))
      plot.line(curve_of(row), colour_of(row.method), title_of(row.method));
  return std::string("<div class=\"card\"><h3>") + title + "</h3><p class=\"soft\">" + note + "</p>" + plot.svg(title) +
         "</div>\n";
}

std::string loss_plots(Report const& report) {
  double untrained = unknown;
  for (auto const& row : report.rows)
    if (row.method == none && !row.has_no_results()) untrained = row.validation_loss;
  std::string text = "<h2>Loss</h2>\n<div class=\"pair\">\n";
  text += loss_plot(
      report, [](Row const& row) { return smoothed(row.training); }, "Training",
      "Mean −log p of a target token, smoothed over neighbouring steps.", unknown);
  text += loss_plot(
      report, [](Row const& row) { return row.validation; }, "Validation",
      "The same on held-out examples; dashed: the untrained model.", untrained);
  return text + "</div>\n";
}

std::string sample(Report const& report, std::size_t i) {
  auto const& example = report.examples.test[i];
  std::string text = "<div class=\"card\"><h3>" + escaped(example.source) + "</h3>\n<p class=\"soft\">" +
                     escaped(example.domain) + (example.domain.empty() ? "" : ", ") +
                     (i < report.examples.seen ? "seen in training" : "unseen in training") + "</p>\n<dl>";
  std::size_t const most = 3;
  for (std::size_t r = 0; r < std::min(most, example.references.size()); ++r)
    text += std::string("<dt class=\"ref\">") + (r == 0 ? "references" : "") + "</dt><dd class=\"ref\">" +
            escaped(example.references[r]) + "</dd>\n";
  for (auto const& row : report.rows)
    if (i < row.outputs.size())
      text += "<dt class=\"c" + std::to_string(colour_of(row.method)) + "\">" + escaped(title_of(row.method)) +
              "</dt><dd>" +
              (row.outputs[i].empty() ? "<span class=\"empty\">nothing</span>" : escaped(row.outputs[i])) + "</dd>\n";
  return text + "</dl></div>\n";
}

std::string samples(Report const& report) {
  std::string text =
      "<h2>Samples</h2>\n<p class=\"soft\">The first test inputs, as they came; all are in report.json.</p>\n";
  std::size_t const seen = report.examples.seen, unseen = report.examples.test.size() - seen;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, seen); ++i) text += sample(report, i);
  for (std::size_t i = 0; i < std::min<std::size_t>(2, unseen); ++i) text += sample(report, seen + i);
  return text;
}

std::string tuning(Report const& report) {
  std::string text;
  for (auto const& row : report.rows) {
    if (row.tuning.empty()) continue;
    text += "<tr><td>" + escaped(title_of(row.method)) + "</td>";
    auto rates = row.tuning;
    std::sort(rates.begin(), rates.end());
    for (auto const& [rate, loss] : rates)
      text += std::string("<td") + (rate == row.learning_rate ? " class=\"best\">" : ">") + support::compact(rate) +
              ": " + (std::isfinite(loss) ? support::fixed(loss, 3) : "failed") + "</td>";
    text += "</tr>\n";
  }
  return text.empty() ? ""
                      : "<h2>Learning rates tried</h2>\n<p class=\"soft\">Learning rate and validation loss; shaded: "
                        "kept.</p>\n<div "
                        "class=\"card scroll\"><table>" +
                            text + "</table></div>\n";
}

}  // namespace

std::string report_html(Report const& report) {
  return head("Comparison of strategies") + introduction(report) + table_html(report) + quality_plot(report) +
         loss_plots(report) + tuning(report) + samples(report) + "</main>\n</body>\n</html>\n";
}

}  // namespace compare
