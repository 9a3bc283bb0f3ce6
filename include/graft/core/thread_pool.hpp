/// @file
/// @brief One pool of threads for everything. Work is cut by its size alone, never by the number of threads, so results do not depend on it.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <graft/core/types.hpp>

namespace graft {

/// A fixed set of workers that run the tasks of one `parallel_for` at a time.
class ThreadPool {
 public:
  explicit ThreadPool(int threads) { start(threads); }
  ~ThreadPool() { stop(); }
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;

  /// The process's pool: `GRAFT_NUM_THREADS` threads, else one per core this process may use.
  static ThreadPool& global() {
    static ThreadPool pool(default_threads());
    return pool;
  }

  [[nodiscard]] int threads() const { return static_cast<int>(workers_.size()) + 1; }
  /// Changes the number of threads; not while work is running.
  void resize(int threads) {
    stop();
    start(threads);
  }

  /// Runs `task(i)` for every i in [0, count); returns when all have ended; rethrows the first exception. Nested calls run in line.
  template <class Task>
  void run(Index count, Task const& task) {
    if (count <= 0) return;
    if (count == 1 || workers_.empty() || inside()) {
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
  static int default_threads() {
    if (char const* text = std::getenv("GRAFT_NUM_THREADS")) return std::clamp(std::atoi(text), 1, 1024);
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  static bool& inside() {
    thread_local bool flag = false;
    return flag;
  }

  /// Looks for a condition a little while before the thread goes to sleep: a model's operations follow each other within microseconds, and waking up takes longer.
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
  void serve() {
    std::size_t seen = 0;
    for (;;) {
      spin_until([&] { return stopping_ || generation_ != seen; });
      {
        std::unique_lock<std::mutex> lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
        if (stopping_) return;
        seen = generation_;
      }
      work();
      std::lock_guard<std::mutex> lock(mutex_);
      if (--busy_ == 0) done_.notify_all();
    }
  }
  void start(int threads) {
    stopping_ = false;
    generation_ = 0;
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
  }
  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  std::vector<std::thread> workers_;
  std::mutex mutex_, caller_;
  std::condition_variable wake_, done_;
  std::function<void(Index)> job_;
  std::atomic<Index> next_{0};
  Index count_ = 0;
  std::atomic<int> busy_{0};
  std::atomic<std::size_t> generation_{0};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
};

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
inline Index rows_per_chunk(Index width, Index elements = 16384) { return std::max<Index>(1, elements / std::max<Index>(1, width)); }

}  // namespace graft
