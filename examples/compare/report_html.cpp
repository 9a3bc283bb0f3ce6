#include <cctype>
#include <filesystem>

#include <graft/train/progress.hpp>

#include "page.hpp"
#include "page_style.hpp"
#include "plot.hpp"

namespace compare {

namespace {

std::string head(std::string const& title) {
  std::string style = page_style;
  for (int i = 0; i < series_colours; ++i)
    style += ".c" + std::to_string(i) + " { color: var(--c" + std::to_string(i) + "); }\n";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, "
         "initial-scale=1\">\n<title>" +
         escaped(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n";
}

std::string count(std::size_t number) { return graft::grouped(static_cast<Index>(number)); }

std::string model_of(Study const& study) { return std::filesystem::path(study.task.model).filename().string(); }

/// "Every strategy was trained for 1 pass over 192 examples in batches of 4"
std::string budget_of(Study const& study) {
  Task const& task = study.task;
  std::string const length = task.steps > 0 ? graft::grouped(task.steps) + " steps"
                                            : std::to_string(task.epochs) + (task.epochs == 1 ? " pass" : " passes") +
                                                  " over " + count(study.training) + " examples";
  bool const gpu = task.placement.device == graft::any::DeviceKind::cuda;
  return "Every strategy was trained for " + length + " in batches of " + std::to_string(task.batch) +
         (gpu ? " on a GPU with activations in " + to_string(task.placement.numbers) : "");
}

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z' && text.find(' ') != std::string::npos)
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string introduction(Report const& report) {
  double seconds = 0;
  for (auto const& row : report.rows)
    for (auto const& run : row.runs) seconds += run.seconds;
  auto const seeds = report.seeds();
  std::string seed_text = seeds.size() > 1 ? std::to_string(seeds.size()) + " seeds" : "seed 0";
  if (seeds.size() == 1) seed_text = "seed " + std::to_string(seeds[0]);
  std::string const title = report.merged()
                                ? std::to_string(report.studies.size()) + " comparisons of ways to adapt models"
                                : "Ways to adapt " + model_of(report.studies.front());
  std::string text = "<h1>" + escaped(title) + "</h1>\n";
  for (auto const& study : report.studies)
    text +=
        "<p class=\"soft\">" +
        (report.merged() ? "<b>" + escaped(study.name) + "</b> (" + escaped(model_of(study)) + "): " : std::string()) +
        escaped(sentence(study.description)) + ". " + budget_of(study) + " (AdamW, linear schedule, " + seed_text +
        (study.task.split_seed > 0 ? ", split seed " + std::to_string(study.task.split_seed) : "") +
        "), validated on " + count(study.validation) + " examples.</p>\n";
  return text + "<p class=\"soft\">" + count(report.rows.size()) + " rows wrote " + count(report.tested()) +
         " test outputs each by greedy search; " + graft::clock_time(seconds) + " of work in all.</p>\n";
}

}  // namespace

std::string report_html(Report const& report) {
  return head("Comparison of strategies") + introduction(report) + results_html(report) + differences_html(report) +
         quality_html(report) + settings_html(report) + losses_html(report) + tuning_html(report) +
         samples_html(report) + "</main>\n</body>\n</html>\n";
}

}  // namespace compare
