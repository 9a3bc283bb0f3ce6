/// @file
/// @brief Where a program's time goes, as an option.
#pragma once

#include <cstdio>

#include <CLI/CLI.hpp>

#include <graft/core/profile.hpp>
#include <graft/kernels/roofline.hpp>

namespace support {

/// The option --profile: what kernels took, as a table on standard error when the program ends, whichever way; nothing
/// where no kernel ran.
class Profiling {
 public:
  explicit Profiling(CLI::App& app) {
    app.add_flag_callback(
           "--profile", [] { graft::profile(); },
           "When all is done, print a table to standard error: what each kernel took, beside what this processor "
           "could do")
        ->group("Options");
  }
  ~Profiling() {
    if (!graft::is_profiled()) return;
    graft::profile(false);
    auto const times = graft::profiled();
    if (times.empty()) return;
    try {
      std::fputs(graft::profile_table(times, graft::measure_roofline()).c_str(), stderr);
    } catch (...) {  // no memory for the measurement
      std::fputs("--profile: the limits of this machine could not be measured\n", stderr);
    }
  }
  Profiling(Profiling const&) = delete;
  Profiling& operator=(Profiling const&) = delete;
};

}  // namespace support
