/// @file
/// @brief What rows are called, in tables and as files.
#pragma once

#include <string>
#include <vector>

#include "grid.hpp"

namespace compare {

/// The names of rows in tables: of each strategy, what its rows differ in ("prefix length=40"); of a strategy with one
/// row, all that was set.
std::vector<std::string> titles_of(std::vector<RowSpec> const& rows);

/// What all rows of a strategy share, where it has several: "prefix: dropout=0.1"; one text a strategy.
std::vector<std::string> shared_settings(std::vector<RowSpec> const& rows);

/// A file's name for a strategy: short, and another one for another strategy.
std::string slug_of(Strategy const& strategy);

}  // namespace compare
