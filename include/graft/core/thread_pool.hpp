/// @file
/// @brief One pool of threads for everything. Work is cut by its size alone, never by
/// the number of threads, so results do not depend on it.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>

#include <graft/core/crew.hpp>
#include <graft/core/environment.hpp>
#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

class ThreadPool;

namespace detail {

/// All pools of the process, for `fork()`: a child has none of its parent's workers,
/// so every pool gets new ones there, when it is first used.
struct Pools {
  std::mutex mutex;
  ThreadPool* first = nullptr;
  std::vector<Crew*> abandoned;  ///< a parent's, in a child

  [[nodiscard]] static Pools& all() {
    static Pools* const pools = [] {
      auto* const made = new Pools;  // never destroyed: another thread may compute while the process ends
      pthread_atfork([] { all().mutex.lock(); }, [] { all().mutex.unlock(); }, renew_in_child);
      return made;
    }();
    return *pools;
  }

 private:
  static inline void renew_in_child();
};

}  // namespace detail

/// A set of workers that run the tasks of one `run` at a time; calls from several threads wait
/// for each other. A child of `fork()` has workers of its own.
class ThreadPool {
 public:
  static constexpr int max_threads = 1024;

  /// @throws ConfigError unless 1 ≤ threads ≤ max_threads. Where the system refuses threads, there are fewer, and a
  /// warning says so.
  explicit ThreadPool(int threads) : crew_(make_crew(threads)) {
    auto& pools = detail::Pools::all();
    std::lock_guard<std::mutex> const lock(pools.mutex);
    next_ = std::exchange(pools.first, this);
  }
  ~ThreadPool() {
    auto& pools = detail::Pools::all();
    std::lock_guard<std::mutex> const lock(pools.mutex);
    ThreadPool** link = &pools.first;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
  }
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;

  /// The process's pool: `GRAFT_NUM_THREADS` threads, else one per core this process may use.
  static ThreadPool& global() {
    // never destroyed: another thread may compute while the process ends
    static ThreadPool* const pool = new ThreadPool(default_threads());
    return *pool;
  }

  [[nodiscard]] int threads() const { return crew_->threads(); }
  /// Changes the number of threads; not while work is running.
  void resize(int threads) { crew_ = make_crew(threads); }

  /// Runs `task(i)` for every i in [0, count); returns when all have ended; rethrows the first exception. Nested calls
  /// run in line.
  template <class Task>
  void run(Index count, Task const& task) {
    crew_->run(count, task);
  }

 private:
  friend struct detail::Pools;

  static int default_threads() {
    int const processors = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, max_threads);
    return detail::environment_number("GRAFT_NUM_THREADS", 1, max_threads,
                                      cat("using ", processors, ", one a processor"))
        .value_or(processors);
  }
  static std::unique_ptr<detail::Crew> make_crew(int threads) {
    if (threads < 1 || threads > max_threads)
      fail<ConfigError>("[threads] got ", threads, " threads; expected 1 to ", max_threads);
    return std::make_unique<detail::Crew>(threads);
  }

  std::unique_ptr<detail::Crew> crew_;
  ThreadPool* next_ = nullptr;
};

/// The parent's crews are left as they are: their threads are not here, and their locks may be held by one of them for
/// ever.
inline void detail::Pools::renew_in_child() {
  auto& pools = all();
  for (ThreadPool* pool = pools.first; pool; pool = pool->next_) {
    int const threads = pool->crew_->wanted();
    pools.abandoned.push_back(pool->crew_.release());
    pool->crew_ = std::make_unique<Crew>(threads);
  }
  pools.mutex.unlock();
}

/// `task(i)` for i in [0, count) on the process's pool.
template <class Task>
void parallel_for(Index count, Task const& task) {
  ThreadPool::global().run(count, task);
}

/// `task(first, last)` over [0, count) in chunks of `grain`.
template <class Task>
void parallel_chunks(Index count, Index grain, Task const& task) {
  Index const chunks = (count + grain - 1) / grain;
  parallel_for(chunks, [&](Index c) { task(c * grain, std::min(count, (c + 1) * grain)); });
}

/// Rows a chunk should hold so that it is worth handing to another thread; depends on the work alone.
inline Index rows_per_chunk(Index width, Index elements = 16384) {
  return std::max<Index>(1, elements / std::max<Index>(1, width));
}

}  // namespace graft
