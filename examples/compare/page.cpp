#include "page.hpp"

#include <map>

#include "plot.hpp"

namespace compare {

int colour_of(Row const& row) {
  static std::map<std::string, int> const colours{
      {none, 0},           {few_shot, 1}, {"prefix", 2},      {"prefix_mlp", 3},
      {"prompt", 4},       {"infix", 5},  {"embedding", 6},   {"adapter", 7},
      {"lora", 8},         {"full", 9},   {"top_layers", 10}, {"bitfit", 11},
      {"prefix_lora", 12}, {"ia3", 13},   {"p_tuning", 14},   {"parallel_adapter", 15},
      {"mam", 16}};
  auto const found = colours.find(row.spec.strategy.name);
  return found == colours.end() ? 0 : found->second;
}

std::vector<bool> named_rows(Report const& report) {
  if (report.rows.size() <= many_rows) return std::vector<bool>(report.rows.size(), true);
  std::map<std::string, std::size_t> best;
  std::vector<bool> named(report.rows.size(), false);
  auto const loss = [&](std::size_t r) { return report.rows[r].spread(&Run::validation_loss).mean; };
  for (std::size_t r = 0; r < report.rows.size(); ++r) {
    if (report.rows[r].has_no_results()) continue;
    if (!report.rows[r].trained()) {
      named[r] = true;
      continue;
    }
    auto const [place, first] = best.try_emplace(report.rows[r].spec.strategy.name, r);
    if (!first && loss(r) < loss(place->second)) place->second = r;
  }
  for (auto const& [strategy, r] : best) named[r] = true;
  return named;
}

std::string other_metrics(Report const& report, std::function<std::string(std::size_t)> const& part) {
  auto const shown = report.shown_metrics();
  std::string text;
  for (std::size_t i = 1; i < shown.size(); ++i)
    text += "<details><summary>" + escaped(report.metrics[shown[i]].title) + "</summary>\n" + part(shown[i]) +
            "</details>\n";
  return text;
}

std::string naming_note(Report const& report) {
  return report.rows.size() > many_rows ? " Of the trained rows, the best of each strategy in validation loss is "
                                          "named; a pointer names the others."
                                        : "";
}

}  // namespace compare
