/// @file
/// @brief Where the host's time goes: what each kernel takes, while somebody wants to know.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {

/// What a kernel of one name has taken so far.
struct KernelTime {
  std::string name;
  Index calls = 0;        ///< how often it ran
  double seconds = 0;     ///< without those of kernels that it called on its thread
  double operations = 0;  ///< floating-point additions and multiplications; 0 where nobody counts them
  double bytes = 0;       ///< read and written at least: every operand once
};

namespace detail {

/// The times of all threads.
class ProfileTable {
 public:
  static ProfileTable& all() {
    static auto* const table = new ProfileTable;  // never destroyed: another thread may compute while the process ends
    return *table;
  }
  void add(std::string_view name, double seconds, double operations, double bytes) {
    std::lock_guard<std::mutex> const lock(mutex_);
    auto found = times_.find(name);
    if (found == times_.end()) found = times_.emplace(std::string(name), KernelTime{std::string(name)}).first;
    KernelTime& time = found->second;
    ++time.calls;
    time.seconds += seconds;
    time.operations += operations;
    time.bytes += bytes;
  }
  [[nodiscard]] std::vector<KernelTime> times() const {
    std::lock_guard<std::mutex> const lock(mutex_);
    std::vector<KernelTime> result;
    for (auto const& [name, time] : times_) result.push_back(time);
    std::sort(result.begin(), result.end(), [](auto const& a, auto const& b) { return a.seconds > b.seconds; });
    return result;
  }
  void clear() {
    std::lock_guard<std::mutex> const lock(mutex_);
    times_.clear();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, KernelTime, std::less<>> times_;
};

inline std::atomic<bool> profiling{false};

}  // namespace detail

/// Begins to add up what the host's kernels take, on all threads; `profile(false)` ends it, and earlier sums stay. It
/// is off at first, and costs a kernel's call less than a nanosecond then.
inline void profile(bool on = true) { detail::profiling.store(on, std::memory_order_relaxed); }
/// Whether what kernels take is added up now.
[[nodiscard]] inline bool is_profiled() { return detail::profiling.load(std::memory_order_relaxed); }
/// What has been added up since the program began or `clear_profile`, those that took longest first.
[[nodiscard]] inline std::vector<KernelTime> profiled() { return detail::ProfileTable::all().times(); }
/// Forgets what has been added up.
inline void clear_profile() { detail::ProfileTable::all().clear(); }

/// Measures the time from its construction to its destruction, and adds it to that of the kernel `name`.
class KernelTimer {
 public:
  /// @param name a literal, which outlives the timer
  explicit KernelTimer(char const* name, double operations = 0, double bytes = 0) {
    if (is_profiled()) start(name, operations, bytes);
  }
  /// @param numbers gives operations and bytes as a pair, where they take a while to count
  template <std::invocable Numbers>
  KernelTimer(char const* name, Numbers const& numbers) {
    if (!is_profiled()) return;
    auto const [operations, bytes] = numbers();
    start(name, operations, bytes);
  }
  ~KernelTimer() {
    if (name_) end();
  }
  KernelTimer(KernelTimer const&) = delete;
  KernelTimer& operator=(KernelTimer const&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  [[gnu::cold]] void start(char const* name, double operations, double bytes) {
    name_ = name;
    operations_ = operations;
    bytes_ = bytes;
    caller_ = current();
    current() = this;
    start_ = Clock::now();
  }
  [[gnu::cold]] void end() {
    double const seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    current() = caller_;
    if (caller_) caller_->within_ += seconds;
    try {
      detail::ProfileTable::all().add(name_, seconds - within_, operations_, bytes_);
    } catch (...) {  // no memory: one call is not counted
    }
  }
  /// The thread's innermost.
  static KernelTimer*& current() {
    thread_local KernelTimer* timer = nullptr;
    return timer;
  }

  char const* name_ = nullptr;
  double operations_ = 0, bytes_ = 0, within_ = 0;
  KernelTimer* caller_ = nullptr;
  Clock::time_point start_;
};

}  // namespace graft
