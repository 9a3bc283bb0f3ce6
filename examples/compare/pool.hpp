/// @file
/// @brief Processes side by side, as many as may run and fit into memory.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include <graft/core/types.hpp>

namespace compare {

/// One process to be run.
struct Job {
  std::vector<std::string> arguments;
  std::function<double()> need_mib;               ///< asked before every start, for earlier jobs teach it
  std::function<void()> started;                  ///< may be asked for nothing
  std::function<void(std::string const&)> ended;  ///< with an empty text where all went well, else how it ended
};

struct PoolLimits {
  graft::Index jobs = 1;     ///< at once
  graft::Index threads = 1;  ///< of each process
  double memory_mib = 0;     ///< of all together
};

/// Runs all jobs and returns when the last has ended. They start in their order; one runs always, however much memory
/// it needs, and one that does not fit beside the others waits.
/// @param wait_said is told once that memory, not `limits.jobs`, decides how many run
/// @throws support::Interrupted after a signal (see SignalWatch): those that run are stopped
void run_jobs(std::vector<Job> const& jobs, PoolLimits const& limits,
              std::function<void(double need_mib)> const& wait_said);

}  // namespace compare
