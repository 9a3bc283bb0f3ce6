/// @file
/// @brief How much memory the process can have at all, so that a request beyond it ends in a sentence and not in a
/// kill.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string>

#ifdef __linux__
#include <sys/sysinfo.h>
#endif

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

namespace detail {

/// A limit as a control group's file gives it; the greatest number where there is none.
[[nodiscard]] inline std::size_t control_group_limit(char const* path) {
  std::size_t const none = std::numeric_limits<std::size_t>::max();
  std::FILE* const file = std::fopen(path, "r");
  if (!file) return none;
  unsigned long long value = 0;
  bool const read = std::fscanf(file, "%llu", &value) == 1;  // "max" is no number
  std::fclose(file);
  return read && value > 0 ? static_cast<std::size_t>(value) : none;
}

[[nodiscard]] inline std::size_t find_machine_memory() {
  std::size_t limit = std::numeric_limits<std::size_t>::max();
#ifdef __linux__
  struct sysinfo info{};
  if (sysinfo(&info) == 0)
    limit = (static_cast<std::size_t>(info.totalram) + static_cast<std::size_t>(info.totalswap)) * info.mem_unit;
  for (char const* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
    limit = std::min(limit, control_group_limit(path));
#endif
  return limit;
}

}  // namespace detail

/// Bytes of memory and swap that this process may have: the machine's, or its control group's.
/// The greatest number where the system does not say.
[[nodiscard]] inline std::size_t machine_memory() {
  static std::size_t const bytes = detail::find_machine_memory();
  return bytes;
}

/// "1.5 GiB", for messages.
[[nodiscard]] inline std::string gibibytes(double bytes) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(bytes < 1e11 ? 2 : 0) << bytes / 1073741824.0 << " GiB";
  return out.str();
}

/// Refuses what cannot fit before anything is allocated: `bytes` as a floating-point number,
/// because a product of sizes may not fit an integer.
/// @throws ConfigError that begins with `what`
inline void require_memory(std::string const& what, double bytes) {
  if (bytes > static_cast<double>(machine_memory()))
    fail<ConfigError>(what, " needs ", gibibytes(bytes), " of memory; expected at most ",
                      gibibytes(static_cast<double>(machine_memory())), ", all that this machine has");
}

}  // namespace graft
