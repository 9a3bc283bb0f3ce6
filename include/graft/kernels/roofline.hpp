/// @file
/// @brief What kernels took, beside what this machine could do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <graft/core/profile.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/kernels/sum.hpp>

namespace graft {

/// The two limits of a kernel (Williams, Waterman & Patterson, "Roofline", CACM 52(4), 2009).
struct Roofline {
  double operations_per_second = 0;  ///< of our own product in float32 whose operands stay in the caches
  double bytes_per_second = 0;       ///< read from an array of 256 MiB

  /// The least seconds that so much can take.
  [[nodiscard]] double least(double operations, double bytes) const {
    return std::max(operations / operations_per_second, bytes / bytes_per_second);
  }
};

/// Measures both with the threads of the pool, for about a third of a second. Takes 256 MiB meanwhile. What it computes
/// is in no profile.
template <class = void>
[[nodiscard]] Roofline measure_roofline() {
  struct Paused {
    bool const before = is_profiled();
    Paused() { profile(false); }
    ~Paused() { profile(before); }
  } const paused;
  using Clock = std::chrono::steady_clock;
  auto const best = [](int runs, auto const& work) {
    double least = HUGE_VAL;
    for (int run = 0; run < runs; ++run) {
      auto const start = Clock::now();
      work();
      least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return least;
  };
  Index const size = 384;
  std::vector<float> const a(static_cast<std::size_t>(size * size), 0.5F);
  std::vector<float> c(a.size());
  using kernels::Read;
  kernels::Product<float> const product{size,     size, size,        a.data(), size,     Read::plain,
                                        a.data(), size, Read::plain, 0.F,      c.data(), size};
  double const product_seconds = best(60, [&] { kernels::On<Cpu, kernels::Matmul, float>::matmul(product); });
  std::vector<float> const much(std::size_t{64} << 20, 1.F);
  float sum = 0;
  double const sum_seconds =
      best(4, [&] { kernels::On<Cpu, kernels::Sum, float>::sum(much.data(), static_cast<Index>(much.size()), &sum); });
  double const cube = static_cast<double>(size) * static_cast<double>(size) * static_cast<double>(size);
  return {2 * cube / product_seconds, static_cast<double>(much.size() * sizeof(float)) / sum_seconds};
}

/// A table of times, which are in order: calls, seconds, share of all of them, and, where they are counted, operations
/// and bytes a second and what part of the limit that is. More than all of it happens: operands may lie in the caches.
template <class = void>
[[nodiscard]] std::string profile_table(std::vector<KernelTime> const& times, Roofline const& roofline) {
  double all = 0;
  for (auto const& time : times) all += time.seconds;
  char line[256];
  std::snprintf(
      line, sizeof line,
      "kernels took %.3f s; this machine's limits, measured now: %.0f GFLOP/s of products, %.1f GB/s of memory "
      "(%d threads)\n",
      all, roofline.operations_per_second / 1e9, roofline.bytes_per_second / 1e9, ThreadPool::global().threads());
  std::string table = line;
  std::snprintf(line, sizeof line, "%-30s %9s %10s %7s %9s %8s %9s\n", "kernel", "calls", "seconds", "share", "GFLOP/s",
                "GB/s", "of limit");
  table += line;
  auto const number = [](double value, int digits) {
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return value > 0 ? std::string(text) : std::string("-");
  };
  for (auto const& time : times) {
    double const seconds = std::max(time.seconds, 1e-9), limit = roofline.least(time.operations, time.bytes);
    std::snprintf(line, sizeof line, "%-30s %9lld %10.3f %5.1f %% %9s %8s %9s\n", time.name.c_str(),
                  static_cast<long long>(time.calls), time.seconds, 100 * time.seconds / std::max(all, 1e-9),
                  number(time.operations / seconds / 1e9, 1).c_str(), number(time.bytes / seconds / 1e9, 1).c_str(),
                  limit > 0 ? (number(100 * limit / seconds, 0) + " %").c_str() : "-");
    table += line;
  }
  return table;
}

}  // namespace graft
