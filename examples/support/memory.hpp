/// @file
/// @brief The most memory that this process has held.
#pragma once

#include <sys/resource.h>

#include <fstream>
#include <string>

namespace support {

/// Peak resident memory in MiB. Linux's VmHWM belongs to this program alone; getrusage's number, taken elsewhere, also
/// remembers the program that started it.
inline double peak_memory_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      double kib = 0;
      if (status >> kib) return kib / 1024;
    }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
#ifdef __APPLE__
  return static_cast<double>(usage.ru_maxrss) / (1024 * 1024);
#else
  return static_cast<double>(usage.ru_maxrss) / 1024;
#endif
}

}  // namespace support
