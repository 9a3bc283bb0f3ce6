/// @file
/// @brief Where tensors' bytes come from: per device, blocks are kept and handed out again, so that a training step in its steady state
/// asks the system for nothing.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include <pthread.h>

#include <graft/core/device.hpp>
#include <graft/core/error.hpp>
#include <graft/core/memory_limit.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// Allocation on a device. A device joins by specializing it with `allocate`, which returns an owner that gives the block back.
template <class Device>
struct Memory;

/// Host memory: best fit among the blocks that were given back, 64-byte aligned.
class HostPool {
 public:
  static HostPool& global() {
    static HostPool* const pool = [] {
      auto* const made = new HostPool;  // never destroyed: tensors in static storage may outlive any order of destruction
      // A child of fork() must not find the lock held by a thread that it does not have.
      pthread_atfork([] { global().mutex_.lock(); }, [] { global().mutex_.unlock(); }, [] { global().mutex_.unlock(); });
      return made;
    }();
    return *pool;
  }

  /// A block of at least `bytes`; returns to the pool when the last owner lets go.
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    if (bytes > machine_memory()) {
      std::lock_guard<std::mutex> lock(mutex_);
      out_of_memory(bytes);
    }
    auto const [block, size] = take(rounded(bytes));
    return {block, [this, size = size](void* p) { give_back(p, size); }};
  }
  /// Frees every block that nobody uses.
  void trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    free_idle();
  }
  /// Bytes taken from the system, used or idle.
  [[nodiscard]] std::size_t held() const { return held_; }
  /// Bytes that tensors use now.
  [[nodiscard]] std::size_t used() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return held_ - idle_;
  }
  /// Times the system was asked for memory since the start: constant in the steady state.
  [[nodiscard]] std::size_t system_allocations() const { return system_allocations_; }

 private:
  static std::size_t rounded(std::size_t bytes) {
    std::size_t step = 64;
    // four sizes an octave: batches of different lengths reuse each other's blocks; what is not touched is not resident
    while (step * 8 < bytes) step *= 2;
    return (bytes + step - 1) / step * step + (bytes == 0 ? step : 0);
  }
  std::pair<void*, std::size_t> take(std::size_t wanted) {
    std::lock_guard<std::mutex> lock(mutex_);
    auto const found = free_.lower_bound(wanted);
    if (found != free_.end() && found->first <= wanted + wanted / 2) {
      std::pair<void*, std::size_t> const block{found->second, found->first};
      idle_ -= found->first;
      free_.erase(found);
      return block;
    }
    if (wanted > machine_memory() - std::min(machine_memory(), held_)) free_idle();
    if (wanted > machine_memory() - std::min(machine_memory(), held_)) out_of_memory(wanted);
    void* block = std::aligned_alloc(64, wanted);
    if (!block) {
      free_idle();
      block = std::aligned_alloc(64, wanted);
    }
    if (!block) out_of_memory(wanted);
    held_ += wanted;
    ++system_allocations_;
    return {block, wanted};
  }
  void give_back(void* block, std::size_t size) {
    std::lock_guard<std::mutex> lock(mutex_);
    bool kept = idle_ <= held_ / 2 || size <= (std::size_t{1} << 20);  // more idle than in use: let large blocks go
    try {
      if (kept) free_.emplace(size, block);
    } catch (std::bad_alloc const&) {
      kept = false;
    }
    if (kept) {
      idle_ += size;
    } else {
      std::free(block);
      held_ -= size;
    }
  }
  void free_idle() {
    for (auto const& entry : free_) std::free(entry.second);
    held_ -= idle_;
    idle_ = 0;
    free_.clear();
  }
  [[noreturn]] void out_of_memory(std::size_t wanted) const {
    fail("[memory] out of memory; got a request for ", gibibytes(static_cast<double>(wanted)), " beside ",
         gibibytes(static_cast<double>(held_)), " in use; expected it to fit in the ", gibibytes(static_cast<double>(machine_memory())),
         " that this machine has; hint: a smaller batch, length or rank");
  }

  mutable std::mutex mutex_;
  std::multimap<std::size_t, void*> free_;
  std::size_t held_ = 0, idle_ = 0, system_allocations_ = 0;
};

template <>
struct Memory<Cpu> {
  [[nodiscard]] static std::shared_ptr<void> allocate(std::size_t bytes) { return HostPool::global().allocate(bytes); }
};

}  // namespace graft
