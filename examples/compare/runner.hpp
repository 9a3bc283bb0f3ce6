/// @file
/// @brief Makes all rows, one process after the other, and keeps finished ones for the next time.
#pragma once

#include <vector>

#include "row.hpp"

namespace compare {

/// Rows in the order of `settings.methods`. A row that fails says why and the others go on. Finished rows in the output
/// folder are taken over where nothing that decides them has changed, unless `settings.fresh`.
std::vector<Row> make_rows(Settings const& settings);

}  // namespace compare
