/// @file
/// @brief Host memory from a pool: blocks are kept and handed out again, so that a training step in its steady state
/// asks the system for nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <pthread.h>

#include <graft/core/error.hpp>
#include <graft/core/memory_limit.hpp>

namespace graft {

/// Host memory: best fit among the blocks that were given back, 64-byte aligned. A block's header holds what counts its
/// owners, so that a block in use again costs no other allocation.
class HostPool {
 public:
  static HostPool& global() {
    static HostPool* const pool = [] {
      auto* const made =
          new HostPool;  // never destroyed: tensors in static storage may outlive any order of destruction
      // A child of fork() must not find the lock held by a thread that it does not have.
      pthread_atfork([] { global().mutex_.lock(); }, [] { global().mutex_.unlock(); },
                     [] { global().mutex_.unlock(); });
      return made;
    }();
    return *pool;
  }

  /// A block of at least `bytes`; returns to the pool when the last owner lets go.
  [[nodiscard]] std::shared_ptr<void> allocate(std::size_t bytes) {
    Block* const block = take(bytes);
    return {block->data(), [](void*) {}, OwnersOf<void>{this, block}};
  }
  /// A block of at least `bytes` that its one owner gives back with `release`: for small objects that come and go with
  /// every step.
  [[nodiscard]] void* take_bytes(std::size_t bytes) { return take(bytes)->data(); }
  void release(void* data) { give_back(Block::of(data)); }

  /// Frees every block that nobody uses.
  void trim() {
    std::lock_guard<std::mutex> lock(mutex_);
    free_idle();
  }
  /// Bytes taken from the system, used or idle.
  [[nodiscard]] std::size_t held() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return held_;
  }
  /// Bytes that tensors use now.
  [[nodiscard]] std::size_t used() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return held_ - idle_;
  }
  /// Times the system was asked for memory since the start: constant in the steady state.
  [[nodiscard]] std::size_t system_allocations() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return system_allocations_;
  }

 private:
  /// What stands before a block's bytes.
  struct alignas(64) Block {
    std::size_t size;                                    ///< of its bytes
    Block* next;                                         ///< in its list, while it is idle
    alignas(std::max_align_t) unsigned char owners[48];  ///< the control block of its shared_ptr, while it is used

    [[nodiscard]] void* data() { return this + 1; }
    [[nodiscard]] static Block* of(void* data) { return static_cast<Block*>(data) - 1; }
  };
  /// Puts a shared_ptr's control block into the block's own header, and gives the block back with it.
  template <class T>
  struct OwnersOf {
    using value_type = T;
    HostPool* pool;
    Block* block;

    OwnersOf(HostPool* of, Block* in) : pool(of), block(in) {}
    template <class Other>
    OwnersOf(OwnersOf<Other> const& other) : pool(other.pool), block(other.block) {}
    [[nodiscard]] T* allocate(std::size_t) {  // one control block
      static_assert(sizeof(T) <= sizeof(Block::owners) && alignof(T) <= alignof(std::max_align_t));
      return reinterpret_cast<T*>(block->owners);
    }
    void deallocate(T*, std::size_t) { pool->give_back(block); }
    friend bool operator==(OwnersOf const& a, OwnersOf const& b) { return a.block == b.block; }
  };

  static std::size_t rounded(std::size_t bytes) {
    std::size_t step = 64;
    // four sizes an octave: batches of different lengths reuse each other's blocks; what is not touched is not resident
    while (step * 8 < bytes) step *= 2;
    return (bytes + step - 1) / step * step + (bytes == 0 ? step : 0);
  }
  [[nodiscard]] Block* take(std::size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (bytes > machine_memory()) out_of_memory(bytes);
    std::size_t const size = rounded(bytes), whole = sizeof(Block) + size;
    for (auto list = idle_blocks_.lower_bound(size); list != idle_blocks_.end() && list->first <= size + size / 2;
         ++list)
      if (Block* const block = list->second) {
        list->second = block->next;
        idle_ -= sizeof(Block) + block->size;
        return block;
      }
    if (whole > machine_memory() - std::min(machine_memory(), held_)) free_idle();
    if (whole > machine_memory() - std::min(machine_memory(), held_)) out_of_memory(size);
    void* memory = std::aligned_alloc(alignof(Block), whole);
    if (!memory) {
      free_idle();
      memory = std::aligned_alloc(alignof(Block), whole);
    }
    if (!memory) out_of_memory(size);
    held_ += whole;
    ++system_allocations_;
    return new (memory) Block{size, nullptr, {}};
  }
  void give_back(Block* block) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::size_t const whole = sizeof(Block) + block->size;
    bool kept =
        idle_ <= held_ / 2 || block->size <= (std::size_t{1} << 20);  // more idle than in use: let large blocks go
    try {
      if (kept) block->next = std::exchange(idle_blocks_[block->size], block);
    } catch (std::bad_alloc const&) {
      kept = false;
    }
    if (kept) {
      idle_ += whole;
    } else {
      std::free(block);
      held_ -= whole;
    }
  }
  void free_idle() {
    for (auto& [size, first] : idle_blocks_)
      while (Block* const block = first) {
        first = block->next;
        std::free(block);
      }
    held_ -= idle_;
    idle_ = 0;
  }
  [[noreturn]] void out_of_memory(std::size_t wanted) const {
    fail("[memory] out of memory; got a request for ", gibibytes(static_cast<double>(wanted)), " beside ",
         gibibytes(static_cast<double>(held_)), " in use; expected it to fit in the ",
         gibibytes(static_cast<double>(machine_memory())),
         " that this machine has; hint: a smaller batch, length or rank");
  }

  mutable std::mutex mutex_;
  std::map<std::size_t, Block*>
      idle_blocks_;  ///< by size; an emptied list stays, so that refilling it asks for nothing
  std::size_t held_ = 0, idle_ = 0, system_allocations_ = 0;
};

/// Storage of a standard object from the pool: for what a step makes and forgets by the hundred.
template <class T>
struct PoolAllocator {
  using value_type = T;
  PoolAllocator() = default;
  template <class Other>
  PoolAllocator(PoolAllocator<Other> const&) {}  // NOLINT: allocators convert
  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(HostPool::global().take_bytes(count * sizeof(T)));
  }
  void deallocate(T* data, std::size_t) { HostPool::global().release(data); }
  friend bool operator==(PoolAllocator const&, PoolAllocator const&) { return true; }
};
template <class T>
using PoolVector = std::vector<T, PoolAllocator<T>>;

}  // namespace graft
