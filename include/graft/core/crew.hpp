/// @file
/// @brief The workers of a thread pool and what they share: one job at a time, cut into numbered tasks.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include <graft/core/types.hpp>
#include <graft/core/warning.hpp>

namespace graft::detail {

/// Threads that wait for jobs. They start with the first job or the first question for their
/// number; where the system refuses some, there are fewer.
class Crew {
 public:
  explicit Crew(int threads) : wanted_(threads) {}
  ~Crew() { stop(static_cast<std::size_t>(0)); }
  Crew(Crew const&) = delete;
  Crew& operator=(Crew const&) = delete;

  [[nodiscard]] int wanted() const { return wanted_; }
  /// The caller's thread and the workers.
  [[nodiscard]] int threads() {
    start();
    return static_cast<int>(workers_.size()) + 1;
  }

  /// Runs `task(i)` for every i in [0, count); returns when all have ended; rethrows the first exception. Nested calls
  /// run in line.
  template <class Task>
  void run(Index count, Task const& task) {
    if (count <= 0) return;
    if (count == 1 || wanted_ <= 1 || inside() || threads() == 1) {
      for (Index i = 0; i < count; ++i) task(i);
      return;
    }
    std::lock_guard<std::mutex> one_caller(caller_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      job_ = [&task](Index i) { task(i); };
      count_ = count;
      next_ = 0;
      busy_ = static_cast<int>(workers_.size());
      error_ = nullptr;
      ++generation_;
    }
    wake_.notify_all();
    work();
    spin_until([this] { return busy_ == 0; });
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    job_ = nullptr;
    if (error_) std::rethrow_exception(error_);
  }

 private:
  static bool& inside() {
    thread_local bool flag = false;
    return flag;
  }

  /// Looks for a condition a little while before the thread goes to sleep: a model's operations follow
  /// each other within microseconds, and waking up takes longer.
  template <class Condition>
  static void spin_until(Condition const& condition) {
    for (int i = 0; i < 4000 && !condition(); ++i) {
#if defined(__x86_64__) || defined(__i386__)
      __builtin_ia32_pause();
#endif
    }
  }
  void work() {
    inside() = true;
    for (Index i; (i = next_.fetch_add(1)) < count_;) {
      try {
        job_(i);
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_ = count_;
      }
    }
    inside() = false;
  }
  void serve(std::size_t number) {
    std::size_t seen = 0;
    for (;;) {
      spin_until([&] { return number >= kept_ || generation_ != seen; });
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return number >= kept_ || generation_ != seen; });
        if (number >= kept_) return;
        seen = generation_;
      }
      work();
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_all();
    }
  }

  void start() {
    std::call_once(started_, [this] {
      if (!hire()) {
        // What the system gave to the last thread it may refuse to the work itself: half of them are let go.
        stop(workers_.size() / 2);
        warn("[threads] the system refused some threads; got ", workers_.size() + 1, "; expected ", wanted_,
             "; results do not depend on their number; hint: a smaller GRAFT_NUM_THREADS, or a higher limit on "
             "processes (ulimit -u) or "
             "memory (ulimit -v)");
      }
    });
  }
  /// Whether all the workers could be started.
  [[nodiscard]] bool hire() {
    try {
      workers_.reserve(static_cast<std::size_t>(wanted_));
      for (std::size_t number = 0; number + 1 < static_cast<std::size_t>(wanted_); ++number)
        workers_.emplace_back([this, number] { serve(number); });
      return true;
    } catch (std::system_error const&) {
    } catch (std::bad_alloc const&) {
    }
    return false;
  }
  /// Ends all workers but the first `kept`.
  void stop(std::size_t kept) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      kept_ = kept;
    }
    wake_.notify_all();
    for (std::size_t number = kept; number < workers_.size(); ++number) workers_[number].join();
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(std::min(kept, workers_.size())), workers_.end());
  }

  int const wanted_;
  std::once_flag started_;
  std::vector<std::thread> workers_;
  std::mutex mutex_, caller_;
  std::condition_variable wake_, done_;
  std::function<void(Index)> job_;
  std::atomic<Index> next_{0};
  Index count_ = 0;
  std::atomic<int> busy_{0};
  std::atomic<std::size_t> generation_{0};
  std::atomic<std::size_t> kept_{static_cast<std::size_t>(-1)};  ///< workers with this number and above end
  std::exception_ptr error_;
};

}  // namespace graft::detail
