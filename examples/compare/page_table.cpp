#include <algorithm>
#include <cmath>
#include <set>

#include "naming.hpp"
#include "page.hpp"
#include "plot.hpp"
#include "support/text.hpp"
#include "table.hpp"

namespace compare {

namespace {

std::string first_cell(Row const& row) {
  return "<td title=\"" + escaped(summary_of(row.spec.strategy.name)) + "\"><span class=\"key c" +
         std::to_string(colour_of(row)) + "\"></span>" + escaped(row.title) + (warning_of(row).empty() ? "" : " ⚠") +
         "</td>";
}

std::string interval_text(graft::Interval const& interval, int digits) {
  return "[" + support::fixed(interval.low, digits) + ", " + support::fixed(interval.high, digits) + "]";
}

/// "35.3 ±1.2" and "[30.1, 40.2]" below.
std::string cell(Column const& column, Row const& row, Report const& report) {
  std::string text =
      std::string("<td") + (is_best(column, row, report.rows) ? " class=\"best\">" : ">") + escaped(column.text(row));
  if (auto const deviation = deviation_text(column, row); !deviation.empty())
    text += (column.measure ? " <small>" : "<small class=\"interval\">") + deviation + "</small>";
  Measure const* const measure = column.measure ? column.measure(row) : nullptr;
  if (measure && std::isfinite(measure->interval.low))
    text += "<small class=\"interval\">" + interval_text(measure->interval, column.digits) + "</small>";
  return text + "</td>";
}

std::string table_card(Report const& report) {
  return std::string("<div class=\"card scroll") + (report.rows.size() > many_rows ? " long" : "") +
         "\"><table>\n<tr><th>strategy</th>";
}

std::string head_cell(Column const& column) {
  return "<th title=\"" + escaped(column.help) + "\">" + escaped(column.title) + "<small>" + escaped(column.unit) +
         "</small></th>";
}

/// What the numbers are, below the table.
std::string notes(Report const& report) {
  std::string text = "Shaded: the best of the trained rows.";
  if (auto const seeds = report.seeds(); seeds.size() > 1)
    text += " ±: standard deviation over " + std::to_string(seeds.size()) +
            " seeds (divisor n − 1); numbers are their means.";
  if (report.tested() > 0)
    text +=
        " Brackets: 95 % confidence interval over the test examples (percentile bootstrap, 1,000 resamples, the "
        "same for all rows).";
  std::set<Index> threads;
  for (auto const& row : report.rows)
    for (Run const* run : row.finished()) threads.insert(run->threads);
  if (threads.size() > 1)
    text += " Speeds and times were measured with different numbers of threads, " + std::to_string(*threads.begin()) +
            " to " + std::to_string(*threads.rbegin()) + ": they do not compare.";
  std::vector<RowSpec> specs;
  for (auto const& row : report.rows) specs.push_back(row.spec);
  for (auto const& shared : shared_settings(specs)) text += " All rows of " + escaped(shared) + ".";
  return text;
}

}  // namespace

std::string results_html(Report const& report) {
  auto const all = columns(report);
  std::string text = "<h2>Results</h2>\n<p class=\"soft\">" + notes(report) + "</p>\n" + table_card(report), warnings;
  for (auto const& column : all) text += head_cell(column);
  text += "</tr>\n";
  for (auto const& row : report.rows) {
    text += "<tr>" + first_cell(row);
    if (row.has_no_results())
      text +=
          "<td class=\"failed\" colspan=\"" + std::to_string(all.size()) + "\">" + escaped(warning_of(row)) + "</td>";
    else
      for (auto const& column : all) text += cell(column, row, report);
    text += "</tr>\n";
    if (!row.has_no_results() && !warning_of(row).empty())
      warnings += "<p class=\"warn\">⚠ " + escaped(row.title) + ": " + escaped(warning_of(row)) + ".</p>\n";
  }
  return text + "</table></div>\n" + warnings;
}

std::string differences_html(Report const& report) {
  std::string head, body;
  for (auto const& column : columns(report))
    if (column.measure) head += head_cell(column);
  for (auto const& row : report.rows) {
    std::string cells;
    bool any = false;
    for (auto const& column : columns(report)) {
      if (!column.measure) continue;
      Measure const* const measure = column.measure(row);
      if (!measure || !measure->difference) {
        cells += "<td>–</td>";
        continue;
      }
      any = true;
      auto const& [difference, interval, p] = *measure->difference;
      bool const unsure = interval.low <= 0 && interval.high >= 0;
      cells += std::string("<td") + (unsure ? " class=\"zero\"" : "") + " title=\"p = " + support::compact(p) + "\">" +
               (difference > 0 ? "+" : "") + support::fixed(difference, column.digits) + "<small class=\"interval\">" +
               interval_text(interval, column.digits) + "</small></td>";
    }
    if (any) body += "<tr>" + first_cell(row) + cells + "</tr>\n";
  }
  if (body.empty()) return "";
  return std::string("<details") + (report.against == none ? "" : " open") + "><summary>Differences from " +
         escaped(report.against) +
         "</summary>\n<p class=\"soft\">Paired over test examples: each resample chooses the same examples of both "
         "rows. Grey: the 95 % interval has 0 in it.</p>\n" +
         table_card(report) + head + "</tr>\n" + body + "</table></div></details>\n";
}

std::string tuning_html(Report const& report) {
  std::string text;
  for (auto const& row : report.rows) {
    if (row.tuning.empty()) continue;
    text += "<tr><td>" + escaped(row.title) + "</td>";
    auto rates = row.tuning;
    std::sort(rates.begin(), rates.end());
    for (auto const& [rate, loss] : rates)
      text += std::string("<td") + (rate == row.learning_rate ? " class=\"best\">" : ">") + support::compact(rate) +
              ": " + (std::isfinite(loss) ? support::fixed(loss, 3) : "failed") + "</td>";
    text += "</tr>\n";
  }
  if (text.empty()) return "";
  return "<h2>Learning rates tried</h2>\n<p class=\"soft\">Learning rate and validation loss, of the first seed; "
         "shaded: kept.</p>\n<div class=\"card scroll\"><table>" +
         text + "</table></div>\n";
}

}  // namespace compare
