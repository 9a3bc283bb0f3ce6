/// @file
/// @brief The parts of the page.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report.hpp"

namespace compare {

/// A strategy has the same colour in every report.
int colour_of(Row const& row);

/// Beyond so many rows, plots and samples name some of them only.
inline constexpr std::size_t many_rows = 20;
/// Whether a plot or a sample names the row: all of few, else those without training and the best of each strategy in
/// validation loss.
std::vector<bool> named_rows(Report const& report);

/// The shown metrics but the first, closed until a reader opens them.
/// @param part the page's text on a metric, by its place in the report's `metrics`
std::string other_metrics(Report const& report, std::function<std::string(std::size_t)> const& part);

std::string results_html(Report const& report);
std::string differences_html(Report const& report);
/// The metrics over the number of trained parameters; untrained rows are levels.
std::string quality_html(Report const& report);
/// The metrics and the validation loss over each setting that rows vary.
std::string settings_html(Report const& report);
std::string losses_html(Report const& report);
std::string tuning_html(Report const& report);
std::string samples_html(Report const& report);

/// "; the best of each strategy has its name" where not all rows are named.
std::string naming_note(Report const& report);

}  // namespace compare
