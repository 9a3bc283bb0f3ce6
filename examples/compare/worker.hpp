/// @file
/// @brief Makes one run; works in a process of its own, so that its peak memory is its own.
#pragma once

#include <filesystem>

#include "run.hpp"

namespace compare {

/// The option that makes this program a worker; a quiet one shows no steps, which those of others would mix with.
constexpr char const* worker_option(bool quiet) { return quiet ? "--quiet-worker" : "--worker"; }

/// Trains where the strategy is trained, evaluates, and writes the outputs of the test sets. @throws what the library
/// throws
Run make_run(Request const& request, bool progress);

/// The process: reads a request from a file, writes the finished (or failed) run. Returns the exit status.
/// @param progress whether the steps of a training are shown on standard error
int run_worker(std::filesystem::path const& request, std::filesystem::path const& result, bool progress);

}  // namespace compare
