/// @file
/// @brief This program started again as a worker.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include <graft/core/types.hpp>

namespace compare {

/// A process that runs this program with other arguments; its standard output goes to standard error. It ends when
/// this process does, and with the value.
class Process {
 public:
  /// @param threads that it computes with
  Process(std::vector<std::string> const& arguments, graft::Index threads);
  Process(Process&& other) noexcept;
  Process(Process const&) = delete;
  Process& operator=(Process const&) = delete;
  Process& operator=(Process&&) = delete;
  ~Process();

  /// Nothing while it runs; then an empty text where it ended with status 0, else a sentence on how it ended.
  [[nodiscard]] std::optional<std::string> ended();

 private:
  pid_t child_ = -1;
};

/// Threads that one process has: GRAFT_NUM_THREADS, or one for each processor.
graft::Index own_threads();

}  // namespace compare
