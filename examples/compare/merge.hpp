/// @file
/// @brief One report over several comparisons.
#pragma once

#include <filesystem>
#include <vector>

#include "report.hpp"

namespace compare {

/// The rows of all reports in one.
/// - Comparisons are one study where their tasks and the contents of the files that they read are the same, wherever
///   these lie: rows of the same strategy, settings and learning rate become one row with the seeds of all.
/// - Other comparisons stay studies of their own: a row's title says what its study differs in ("LoRA [epochs=3]").
/// - It has the metrics of all reports.
/// - Test sets of the same name are one, and must have the same examples.
///
/// Reports are merged, not the folders of finished runs: a report is whole, and does not change while another
/// comparison runs.
/// @param folders that `compare --out` wrote
/// @throws ConfigError where test sets or the results of one seed differ
Report merge(std::vector<std::filesystem::path> const& folders);

}  // namespace compare
