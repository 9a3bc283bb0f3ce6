// Stacks that take turns on one thread of the host. ucontext asks the system for the signal mask at every turn, which
// would be most of a barrier's time; x86-64 therefore has a turn of its own. Sanitizers know ucontext's alone.
#pragma once

#include <cstddef>
#include <memory>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__x86_64__)
#define GRAFT_EMULATOR_UCONTEXT
#include <ucontext.h>
#endif

namespace emulator {

#ifdef GRAFT_EMULATOR_UCONTEXT
using StackPlace = ucontext_t;
#else
using StackPlace = void*;  ///< the stack's pointer, above it the registers that a call keeps

/// Leaves the present stack, whose place is kept in `left`, and goes on in another.
__attribute__((naked, noinline)) inline void change_stacks(StackPlace*, StackPlace) {
  __asm__(
      "pushq %rbp\n\tpushq %rbx\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\t"
      "movq %rsp, (%rdi)\n\t"
      "movq %rsi, %rsp\n\t"
      "popq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbx\n\tpopq %rbp\n\tret");
}
#endif

/// A function on a stack of its own, which can be left in its midst and gone on with.
class Fiber {
 public:
  /// The next `resume` calls the function. It must end with a `suspend` that nobody resumes.
  void start(void (*function)()) {
    if (!stack_) stack_.reset(new char[bytes]);
#ifdef GRAFT_EMULATOR_UCONTEXT
    getcontext(&own_);
    own_.uc_stack.ss_sp = stack_.get();
    own_.uc_stack.ss_size = bytes;
    own_.uc_link = nullptr;
    makecontext(&own_, function, 0);
#else
    auto const end = reinterpret_cast<std::size_t>(stack_.get() + bytes) / 16 * 16;
    auto* const top = reinterpret_cast<void**>(end);
    top[-1] = nullptr;  // where a function finds whom to return to
    top[-2] = reinterpret_cast<void*>(function);
    for (int i = 3; i <= 8; ++i) top[-i] = nullptr;
    own_ = top - 8;
#endif
  }
  /// Runs the function until it suspends.
  void resume() {
#ifdef GRAFT_EMULATOR_UCONTEXT
    swapcontext(&host_, &own_);
#else
    change_stacks(&host_, own_);
#endif
  }
  /// Of the function itself: goes back to whoever resumed it.
  void suspend() {
#ifdef GRAFT_EMULATOR_UCONTEXT
    swapcontext(&own_, &host_);
#else
    change_stacks(&own_, host_);
#endif
  }

 private:
  /// Not a power of two: the tops of all stacks would share a few lines of the processor's cache.
  static constexpr std::size_t bytes = 65536 + 17 * 64;

  std::unique_ptr<char[]> stack_;
  StackPlace own_{}, host_{};
};

}  // namespace emulator
