/// @file
/// @brief Learning-rate schedules with warm-up, as Hugging Face's get_*_schedule_with_warmup have them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string_view>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// How the learning rate falls after the warm-up.
enum class Schedule { constant, linear, cosine };

[[nodiscard]] constexpr std::string_view schedule_name(Schedule schedule) noexcept {
  switch (schedule) {
    case Schedule::constant: return "constant";
    case Schedule::linear: return "linear";
    case Schedule::cosine: return "cosine";
  }
  return "unknown";
}
/// The schedule of that name. @throws ConfigError
[[nodiscard]] inline Schedule schedule_named(std::string_view name) {
  for (Schedule schedule : {Schedule::constant, Schedule::linear, Schedule::cosine})
    if (schedule_name(schedule) == name) return schedule;
  fail<ConfigError>("[schedule] got '", name, "'; expected constant, linear or cosine");
}

/// What the learning rate of step `k` (the first is 0) is multiplied by, of `total` steps of which the first `warmup`
/// rise linearly from 0: k/warmup, then 1, (total − k)/(total − warmup), or ½(1 + cos π(k − warmup)/(total − warmup)).
/// From `total` on: the end's value.
[[nodiscard]] inline double schedule_factor(Schedule schedule, Index k, Index warmup, Index total) {
  if (k < warmup) return static_cast<double>(k) / static_cast<double>(warmup);
  auto const length = static_cast<double>(std::max<Index>(1, total - warmup));
  switch (schedule) {
    case Schedule::constant: return 1.0;
    case Schedule::linear: return std::max(0.0, static_cast<double>(total - k) / length);
    case Schedule::cosine: {
      double const progress = std::min(1.0, static_cast<double>(k - warmup) / length);
      return std::max(0.0, 0.5 * (1.0 + std::cos(3.14159265358979323846 * progress)));
    }
  }
  return 1.0;
}

}  // namespace graft
