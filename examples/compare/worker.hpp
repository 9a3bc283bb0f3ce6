/// @file
/// @brief Makes one row; runs in a process of its own, so that its peak memory is its own.
#pragma once

#include <filesystem>

#include "row.hpp"

namespace compare {

/// Trains where the row is trained, evaluates, generates, scores. @throws what the library throws
Row make_row(Request const& request);

/// The process: reads a request from a file, writes the finished (or failed) row. Returns the exit status.
int run_worker(std::filesystem::path const& request, std::filesystem::path const& result);

}  // namespace compare
