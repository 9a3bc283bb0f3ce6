/// @file
/// @brief Reverse-mode differentiation: a tape of closures, run backwards once, each freed (with what it saved) as soon as it has run.
#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace graft {

/// The closures recorded on this thread since the last `backward`.
class Tape {
 public:
  using Closure = std::function<void()>;

  static Tape& current() {
    thread_local Tape tape;
    return tape;
  }

  [[nodiscard]] bool recording() const { return recording_; }
  [[nodiscard]] std::size_t size() const { return closures_.size(); }
  void record(Closure closure) { closures_.push_back(std::move(closure)); }
  /// Runs the closures recorded after `mark`, last first; each is destroyed before the next one runs.
  void run_back_to(std::size_t mark = 0) {
    while (closures_.size() > mark) {
      Closure const closure = std::move(closures_.back());
      closures_.pop_back();
      closure();
    }
  }
  /// Forgets what was recorded after `mark` without running it.
  void discard(std::size_t mark = 0) { closures_.resize(mark); }

 private:
  friend class NoGrad;
  bool recording_ = true;
  std::vector<Closure> closures_;
};

/// While it lives, operations on this thread record nothing.
class NoGrad {
 public:
  NoGrad() : before_(std::exchange(Tape::current().recording_, false)) {}
  ~NoGrad() { Tape::current().recording_ = before_; }
  NoGrad(NoGrad const&) = delete;
  NoGrad& operator=(NoGrad const&) = delete;

 private:
  bool before_;
};

}  // namespace graft
