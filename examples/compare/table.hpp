/// @file
/// @brief The comparison as a table of texts, which the terminal and the page share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "report.hpp"

namespace compare {

struct Column {
  std::string title, unit, help;
  bool best_is_high = false, best_is_low = false;
  std::function<Spread(Row const&)> value;                      ///< what is compared; unknown where the row has none
  std::function<std::string(Row const&)> text;                  ///< of the mean alone
  int digits = 0;                                               ///< of the deviation
  std::function<Measure const*(Row const&)> measure = nullptr;  ///< of a metric
};

/// The columns after the row's name.
std::vector<Column> columns(Report const& report);

/// Whether a row's mean is the best of its column among trained rows.
bool is_best(Column const& column, Row const& row, std::vector<Row> const& rows);

/// "±0.012", or an empty text where there is no deviation.
std::string deviation_text(Column const& column, Row const& row);
/// A number with `digits` after the point, or a dash.
std::string or_dash(double value, int digits);

/// The table in plain text, with failures and warnings below it. The head is repeated in long ones.
std::string plain_table(Report const& report);

}  // namespace compare
