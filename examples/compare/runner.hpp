/// @file
/// @brief Makes all runs of all rows, in processes side by side, and keeps finished ones for the next time.
#pragma once

#include <vector>

#include "row.hpp"

namespace compare {

/// Rows in the order of `settings.rows`, with their runs: one for each seed, or one of untrained rows. A run that fails
/// says why and the others go on. Finished runs in the output folder are taken over where nothing that decides them has
/// changed, unless `settings.fresh`.
///
/// Learning rates are tried with the first seed; the others train with the best.
/// @param guesses MiB that a process of each row may need
/// @throws support::Interrupted when a signal ended it: all processes are stopped, finished runs stay
std::vector<Row> make_rows(Settings const& settings, std::vector<double> const& guesses);

}  // namespace compare
