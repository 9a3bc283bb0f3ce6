/// @file
/// @brief What is wrong with a comparison, said before the first row is made.
#pragma once

#include <vector>

#include <CLI/CLI.hpp>

#include "data.hpp"
#include "settings.hpp"

namespace graft::any {
class AnyBase;
}

namespace compare {

/// Places and texts of the options: streams, names that are graft's own, outputs in the place of inputs, what is not
/// UTF-8.
void check_files(Settings const& settings);

/// What the model says: that it goes with the data, that it has every row's settings, and that no row of the data is
/// too long for any of them. Settles the template.
/// @returns MiB that a process of each row may need, for the first guess
std::vector<double> check_model(CLI::App const& app, Settings& settings, Examples const& examples,
                                graft::any::AnyBase const& base);

}  // namespace compare
