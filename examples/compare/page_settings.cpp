#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "page.hpp"
#include "plot.hpp"
#include "support/text.hpp"
#include "table.hpp"

namespace compare {

namespace {

/// The number that a row has as its setting, given or not; nothing where it has none.
std::optional<double> number_of(Row const& row, std::string const& setting) {
  if (setting == "learning_rate") return row.spec.learning_rate;
  std::string const text = value_of(row.spec.strategy, setting);
  double value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// Rows that differ in one setting alone, by its value.
struct Series {
  std::string name;
  int colour = 0;
  std::map<double, Row const*> rows;
};

/// What a row is without the setting: its strategy, its other settings and its study.
std::string rest_of(Row const& row, std::string const& setting, Report const& report) {
  std::string text = title_of(row.spec.strategy.name);
  auto settings = row.spec.strategy.settings;
  std::sort(settings.begin(), settings.end());
  for (auto const& [name, value] : settings)
    if (name != setting) text += " " + name + "=" + value;
  if (row.spec.learning_rate && setting != "learning_rate")
    text += " learning_rate=" + support::compact(*row.spec.learning_rate);
  if (auto const at = row.title.find(" ["); report.merged() && at != std::string::npos) text += row.title.substr(at);
  return text;
}

std::vector<Series> series_of(Report const& report, std::string const& setting) {
  std::vector<Series> all;
  for (auto const& row : report.rows) {
    auto const value = number_of(row, setting);
    if (!value || row.has_no_results()) continue;
    std::string const name = rest_of(row, setting, report);
    auto found = std::find_if(all.begin(), all.end(), [&](Series const& one) { return one.name == name; });
    if (found == all.end()) found = all.insert(all.end(), {name, colour_of(row), {}});
    found->rows.emplace(*value, &row);
  }
  std::erase_if(all, [](Series const& one) { return one.rows.size() < 2; });
  std::set<int> taken;
  bool alike = false;  // several of one strategy
  for (auto const& one : all) alike = !taken.insert(one.colour).second || alike;
  for (std::size_t s = 0; s < all.size() && alike; ++s)
    all[s].colour = 2 + static_cast<int>(s % 15);  // not those of none and few_shot
  return all;
}

/// Of more lines, plots show neither names nor bars.
constexpr std::size_t most_names = 14;

/// One quantity over the setting.
template <class SpreadOf>
std::string plot_of(std::vector<Series> const& all, std::string const& setting, std::string const& quantity, int digits,
                    std::vector<std::pair<Row const*, double>> const& levels, SpreadOf const& spread_of_row) {
  std::vector<double> xs, ys;
  double margin = 30;
  for (auto const& one : all) {
    if (all.size() <= most_names) margin = std::max(margin, std::min(220.0, label_width(one.name) + 16));
    for (auto const& [value, row] : one.rows) {
      Spread const spread = spread_of_row(*row);
      double const reach = std::isfinite(spread.deviation) ? spread.deviation : 0;
      xs.push_back(value), ys.push_back(spread.mean - reach), ys.push_back(spread.mean + reach);
    }
  }
  for (auto const& [row, level] : levels) ys.push_back(level);
  Plot plot(axis_through(xs, setting), axis_around(ys, quantity), 560, 360, margin);
  bool const many = all.size() > most_names;  // bars would hide the lines
  if (many || xs.size() > 2 * 60) plot.use_small_dots();
  for (auto const& [row, level] : levels)
    plot.level(level, colour_of(*row), row->title + " " + support::fixed(level, digits));
  for (auto const& one : all) {
    Curve line;
    for (auto const& [value, row] : one.rows) line.emplace_back(value, spread_of_row(*row).mean);
    plot.line(line, one.colour, one.name, !many);
    for (auto const& [value, row] : one.rows) {
      Spread const spread = spread_of_row(*row);
      if (!many) plot.error_bar(value, spread.mean - spread.deviation, spread.mean + spread.deviation, one.colour);
      plot.dot(value, spread.mean, one.colour, true,
               row->title + ": " + quantity + " " + or_dash(spread.mean, digits) +
                   (std::isfinite(spread.deviation) ? " ±" + support::fixed(spread.deviation, digits) : ""));
    }
  }
  return plot.svg(quantity + " against " + setting);
}

std::string card(std::string const& title, std::string const& plot) {
  return "<div class=\"card\"><h3>" + escaped(title) + "</h3>" + plot + "</div>\n";
}

/// A metric over the setting, on each test set.
std::string metric_plots(Report const& report, std::string const& setting, std::vector<Series> const& all,
                         std::size_t number) {
  Metric const& metric = report.metrics[number];
  std::string text;
  for (std::size_t t = 0; t < report.tests.size(); ++t) {
    std::vector<std::pair<Row const*, double>> levels;
    for (auto const& row : report.rows)
      if (!row.trained() && !row.has_no_results() && row.spec.strategy.settings.empty())
        levels.emplace_back(&row, row.measures[t][number].spread.mean);
    std::string const name = report.tests.size() > 1 ? ", " + report.tests[t].name : "";
    text += card(metric.title + name, plot_of(all, setting, metric.title, metric.digits, levels,
                                              [&](Row const& row) { return row.measures[t][number].spread; }));
  }
  return text;
}

std::string plots_of(Report const& report, std::string const& setting, std::vector<Series> const& all) {
  std::string text =
      "<h2>Effect of " + escaped(setting) + "</h2>\n<p class=\"soft\">A line joins rows that differ in " +
      escaped(setting) + " alone." +
      (report.seeds().size() > 1 && all.size() <= most_names ? " Bars: standard deviation over seeds." : "") +
      (all.size() > most_names ? " A pointer names the lines." : "") +
      " Dashed: without training.</p>\n<div class=\"pair\">\n";
  text += metric_plots(report, setting, all, report.shown_metrics().front());
  text += card("Validation loss", plot_of(all, setting, "validation loss", 3, {},
                                          [](Row const& row) { return row.spread(&Run::validation_loss); }));
  return text + "</div>\n" + other_metrics(report, [&](std::size_t metric) {
           return "<div class=\"pair\">\n" + metric_plots(report, setting, all, metric) + "</div>\n";
         });
}

}  // namespace

std::string settings_html(Report const& report) {
  std::vector<std::string> names;
  auto const add = [&](std::string const& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (auto const& row : report.rows) {
    for (auto const& [name, value] : row.spec.strategy.settings) add(name);
    if (row.spec.learning_rate) add("learning_rate");
  }
  std::string text;
  for (auto const& name : names)
    if (auto const all = series_of(report, name); !all.empty()) text += plots_of(report, name, all);
  return text;
}

}  // namespace compare
