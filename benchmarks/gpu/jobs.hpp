// What is timed: training and generation on rows of token ids.
#pragma once

#include <nlohmann/json.hpp>

#include "gpu/device_base.hpp"

namespace gpu {

/// Does a job of the file of jobs and returns its line: the keys of the peer's script.
///
/// | key of a job | says |
/// |-|-|
/// | what | "train" or "generate" |
/// | method, adapter, length | as `Adapter` |
/// | dtype | of the activations: "float32" or "bfloat16" |
/// | rows, batch | JSON file of token ids, and how many rows a step or a generation takes |
/// | steps, learning_rate | of training; the first two steps are not counted |
/// | beams, new | of generation: 1 for greedy search; so many new tokens for each prompt. The best of three runs counts |
[[nodiscard]] nlohmann::json run_job(DeviceBase const& base, nlohmann::json const& job);

/// How long single operations of a model's sizes take, a line each.
[[nodiscard]] nlohmann::json time_operations(DeviceBase const& base, graft::Index rows, graft::Index length,
                                             int repeats);

}  // namespace gpu
