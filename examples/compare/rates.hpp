/// @file
/// @brief The learning rate of each row.
#pragma once

#include "command_line.hpp"

namespace compare {

/// A row's own setting `learning_rate` goes before --learning-rate of rows like it (of several, the one with the most
/// settings), that before one of its method, that before one for all, and that before the strategy's default. With
/// --tune, rows whose rate nobody gave are tuned.
/// @throws UsageError for a rate that no row would have
void settle_learning_rates(CommandLine& line);

}  // namespace compare
