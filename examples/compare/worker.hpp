/// @file
/// @brief Makes one run; works in a process of its own, so that its peak memory is its own.
#pragma once

#include <filesystem>

#include "run.hpp"

namespace compare {

/// Trains where the strategy is trained, evaluates, and writes the outputs of the test sets. @throws what the library
/// throws
Run make_run(Request const& request);

/// The process: reads a request from a file, writes the finished (or failed) run. Returns the exit status.
int run_worker(std::filesystem::path const& request, std::filesystem::path const& result);

}  // namespace compare
