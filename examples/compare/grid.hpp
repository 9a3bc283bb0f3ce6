/// @file
/// @brief Rows of the command line: a strategy with lists and ranges of settings stands for a row of each value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "strategy.hpp"

namespace compare {

/// A row as it was asked for.
struct RowSpec {
  Strategy strategy;
  std::optional<double> learning_rate;  ///< of this row alone
  std::string asked;                    ///< the option's text, for messages
};

/// The values that a text stands for, in order: `4,8,16`, `1..40`, `1..41..10` (steps of 10), and mixtures.
/// @throws ConfigError that begins with `what` for an empty value, a range that ends before it begins, and more than
/// `most_rows` values
std::vector<std::string> expand_values(std::string const& what, std::string const& text);

/// `lora:rank=4,8:dropout=0,0.1` is four rows: the last setting changes first. The setting `learning_rate` is the row's
/// own.
/// @throws ConfigError for a text of another form
std::vector<RowSpec> expand_row(std::string const& text);

/// A grid beyond it is a slip of the pen.
inline constexpr std::size_t most_rows = 2000;

}  // namespace compare
