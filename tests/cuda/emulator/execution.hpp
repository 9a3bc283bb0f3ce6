// A grid on one thread of the host: blocks one after another; within one, threads as coroutines that change places at
// barriers.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "fiber.hpp"

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
inline dim3 gridDim, blockDim, blockIdx, threadIdx;

namespace emulator {

[[noreturn]] inline void stop(char const* why) {
  std::fprintf(stderr, "emulator: %s, in block %u, thread (%u, %u)\n", why, blockIdx.x, threadIdx.x, threadIdx.y);
  std::abort();
}

/// The threads of one block.
class Block {
 public:
  static Block*& current() {
    static Block* block = nullptr;
    return block;
  }

  Block(dim3 shape, std::function<void()> const& kernel)
      : kernel_(kernel), shape_(shape), count_(shape.x * shape.y * shape.z) {}

  /// Runs all threads in ascending or descending order. Where the first meets no barrier, the others need no stack of
  /// their own.
  void run(bool descending) {
    current() = this;
    static std::vector<unsigned> order;
    order.resize(count_);
    for (unsigned i = 0; i < count_; ++i) order[i] = descending ? count_ - 1 - i : i;
    states().assign(count_, State::fresh);
    exchanged().assign(count_, false);
    resume(order[0]);
    if (states()[order[0]] == State::done) {
      for (unsigned i = 1; i < count_; ++i) {
        select(order[i]);
        kernel_();
      }
    } else {
      for (unsigned i = 1; i < count_; ++i) resume(order[i]);
      while (waiting() > 0) {
        if (waiting() != count_) stop("some threads of a block returned, others wait at a barrier");
        for (unsigned const i : order) resume(i);
      }
    }
    current() = nullptr;
  }
  void barrier() {
    if (!resumed_) stop("a barrier that the block's first thread did not meet");
    fibers()[active_].suspend();
  }
  /// `value` of the thread whose number differs in the bits of `mask`. Two rooms take turns, so that nobody writes what
  /// others still read.
  template <class T>
  T exchange(T value, unsigned mask) {
    static T rooms[2][1024];
    T* const room = rooms[exchanged()[active_]];
    exchanged()[active_] = !exchanged()[active_];
    if ((active_ ^ mask) >= count_) stop("a shuffle with a thread that does not run");
    room[active_] = value;
    barrier();
    return room[active_ ^ mask];
  }

 private:
  enum class State : char { fresh, started, done };

  /// Of the threads of whichever block runs; they are used again.
  static std::vector<State>& states() {
    static std::vector<State> states;
    return states;
  }
  static std::vector<bool>& exchanged() {  ///< whether each has exchanged an odd number of values
    static std::vector<bool> odd;
    return odd;
  }
  static std::vector<Fiber>& fibers() {
    static std::vector<Fiber> fibers(1024);
    return fibers;
  }
  void select(unsigned i) {
    active_ = i;
    threadIdx = dim3(i % shape_.x, i / shape_.x % shape_.y, i / shape_.x / shape_.y);
  }
  void resume(unsigned i) {
    Fiber& fiber = fibers()[i];
    select(i);
    if (states()[i] == State::fresh) {
      states()[i] = State::started;
      fiber.start(&Block::enter);
    }
    resumed_ = true;
    fiber.resume();
    resumed_ = false;
  }
  static void enter() {
    Block& block = *current();
    block.kernel_();
    states()[block.active_] = State::done;
    fibers()[block.active_].suspend();
  }
  [[nodiscard]] unsigned waiting() const {
    unsigned count = 0;
    for (State const state : states()) count += state != State::done;
    return count;
  }

  std::function<void()> const& kernel_;
  dim3 shape_;
  unsigned count_, active_ = 0;
  bool resumed_ = false;
};

/// Every other grid runs backwards: what depends on the order of blocks or threads gives different results.
inline void run(dim3 grid, dim3 block, std::function<void()> const& kernel) {
  static bool descending = true;
  descending = !descending;
  gridDim = grid;
  blockDim = block;
  for (unsigned i = 0; i < grid.x; ++i) {
    blockIdx = dim3(descending ? grid.x - 1 - i : i, 0, 0);
    Block(block, kernel).run(descending);
  }
}

}  // namespace emulator

inline void __syncthreads() { emulator::Block::current()->barrier(); }

/// All threads of a block meet here, where on a GPU those of a warp do.
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return emulator::Block::current()->exchange(value, static_cast<unsigned>(mask));
}
