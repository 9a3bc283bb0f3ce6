/// @file
/// @brief The comparison as a table of texts, which the terminal and the page share.
#pragma once

#include <string>
#include <vector>

#include "row.hpp"

namespace compare {

struct Column {
  std::string title, unit, help;
  bool best_is_high = false, best_is_low = false;
  double (*value)(Row const&) = nullptr;  ///< what is compared; NaN where the row has none
  std::string (*text)(Row const&) = nullptr;
};

/// What the rows were tested on.
struct Test {
  bool unseen = false;   ///< whether a part of it is of domains that training lacks
  bool classes = false;  ///< of a classifier
};

/// The columns after the strategy's name.
std::vector<Column> columns(Test test);

/// Whether a row's value is the best of its column among trained rows.
bool is_best(Column const& column, Row const& row, std::vector<Row> const& rows);

/// The table in plain text, with failures and warnings below it.
std::string plain_table(std::vector<Row> const& rows, Test test);

/// A sentence on what went wrong with a row; empty where nothing did.
std::string warning_of(Row const& row);

}  // namespace compare
