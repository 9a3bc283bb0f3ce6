#include <algorithm>

#include "page.hpp"
#include "plot.hpp"

namespace compare {

namespace {

std::string sample(Report const& report, std::size_t test, std::size_t i) {
  auto const& example = report.tests[test].examples[i];
  bool const generated = report.studies.front().task.data == "generated";
  std::string const set =
      generated ? report.tests[test].name + " in training" : (report.tests.size() > 1 ? report.tests[test].name : "");
  std::string text = "<div class=\"card\"><h3>" + escaped(example.source) + "</h3>\n<p class=\"soft\">" +
                     escaped(example.domain) + (example.domain.empty() || set.empty() ? "" : ", ") + escaped(set) +
                     "</p>\n<dl>";
  std::size_t const most = 3;
  for (std::size_t r = 0; r < std::min(most, example.references.size()); ++r)
    text += std::string("<dt class=\"ref\">") + (r == 0 ? "references" : "") + "</dt><dd class=\"ref\">" +
            escaped(example.references[r]) + "</dd>\n";
  auto const named = named_rows(report);
  for (std::size_t r = 0; r < report.rows.size(); ++r) {
    Row const& row = report.rows[r];
    auto const& outputs = row.first().outputs;
    if (!named[r] || row.has_no_results() || test >= outputs.size() || i >= outputs[test].size()) continue;
    std::string const& output = outputs[test][i];
    text += "<dt class=\"c" + std::to_string(colour_of(row)) + "\">" + escaped(row.title) + "</dt><dd>" +
            (output.empty() ? "<span class=\"empty\">nothing</span>" : escaped(output)) + "</dd>\n";
  }
  return text + "</dl></div>\n";
}

}  // namespace

std::string samples_html(Report const& report) {
  std::string text = "<h2>Samples</h2>\n<p class=\"soft\">The first test inputs, as they came";
  if (report.seeds().size() > 1) text += ", of the first seed";
  if (report.rows.size() > many_rows) text += "; of the trained rows, the best of each strategy in validation loss";
  text += "; all are in report.json.</p>\n";
  for (std::size_t t = 0; t < report.tests.size(); ++t)
    for (std::size_t i = 0; i < std::min<std::size_t>(t == 0 ? 3 : 2, report.tests[t].examples.size()); ++i)
      text += sample(report, t, i);
  return text;
}

}  // namespace compare
