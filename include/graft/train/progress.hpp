/// @file
/// @brief What a training says while it runs: on standard error one line that changes where it is a terminal, else a
/// line now and then.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include <graft/train/training.hpp>

namespace graft {

/// "134,524,224"
[[nodiscard]] inline std::string grouped(Index number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<Index>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

/// "trainable params: 9,216 || all params: 134,524,224 || trainable%: 0.0069", as PEFT prints it.
[[nodiscard]] inline std::string parameter_line(Index trainable, Index all) {
  char share[32];
  std::snprintf(share, sizeof share, "%.4f",
                all > 0 ? 100.0 * static_cast<double>(trainable) / static_cast<double>(all) : 0.0);
  return "trainable params: " + grouped(trainable) + " || all params: " + grouped(all) + " || trainable%: " + share;
}

/// "1:02:03", "02:03"
[[nodiscard]] inline std::string clock_time(double seconds) {
  auto const whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  char text[48];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%02lld:%02lld", whole / 60, whole % 60);
  return text;
}

/// Writes the progress of one training.
class Progress {
 public:
  Progress(bool enabled, Index first_step, Index steps, Index epochs)
      : enabled_(enabled),
        terminal_(enabled && ::isatty(STDERR_FILENO) == 1),
        first_(first_step),
        steps_(steps),
        epochs_(epochs) {}
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;
  ~Progress() { end_line(); }

  /// A line of its own.
  void say(std::string_view line) {
    if (!enabled_) return;
    end_line();
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  }
  void step(StepReport const& report) {
    double const keep = 0.9;  // exponential mean, unbiased from the first step on
    smoothed_ = keep * smoothed_ + (1.0 - keep) * report.loss;
    share_ = keep * share_ + (1.0 - keep);
    tokens_ += report.tokens;
    seconds_ += report.seconds;
    if (!enabled_) return;
    auto const now = Clock::now();
    bool const last = report.step == steps_;
    if (!last && shown_ != Clock::time_point() &&
        now - shown_ < (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(15)))
      return;
    shown_ = now;
    std::string const text = line(report);
    std::fprintf(stderr, terminal_ ? "\r%s\033[K" : "%s\n", text.c_str());
    std::fflush(stderr);
    open_ = terminal_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] std::string line(StepReport const& report) const {
    double const done = static_cast<double>(report.step - first_);
    double const passed =
        std::chrono::duration<double>(Clock::now() - began_).count();  // with validation and checkpoints
    char text[256];
    std::snprintf(text, sizeof text, "epoch %.1f/%lld  step %lld/%lld  loss %.4f  lr %.2e  %.0f tokens/s  %s left",
                  report.epoch, static_cast<long long>(epochs_), static_cast<long long>(report.step),
                  static_cast<long long>(steps_), smoothed_ / share_, report.learning_rate,
                  seconds_ > 0 ? static_cast<double>(tokens_) / seconds_ : 0.0,
                  clock_time(passed / done * static_cast<double>(steps_ - report.step)).c_str());
    return text;
  }
  void end_line() {
    if (open_) std::fputc('\n', stderr);
    open_ = false;
  }

  bool enabled_, terminal_, open_ = false;
  Index first_, steps_, epochs_, tokens_ = 0;
  double smoothed_ = 0, share_ = 0, seconds_ = 0;
  Clock::time_point began_ = Clock::now(), shown_;
};

}  // namespace graft
