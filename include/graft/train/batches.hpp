/// @file
/// @brief Which examples each optimizer step sees: a pure function of the seed, the epoch and the examples' lengths.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// Settings of batching; as in `Training`.
struct Batching {
  Index batch = 5;
  Index accumulate = 1;
  Index max_tokens = 0;
  bool drop_last = false;
  std::uint64_t seed = 0;
};

/// The passes of one optimizer step: indices of examples.
using StepBatches = std::vector<std::vector<Index>>;

/// Optimizer steps of one epoch.
/// @throws ConfigError if there are none
[[nodiscard]] inline Index steps_per_epoch(Index examples, Batching const& batching) {
  Index const size = batching.batch * batching.accumulate;
  Index const steps = batching.drop_last ? examples / size : (examples + size - 1) / size;
  if (steps == 0)
    fail<ConfigError>("[batches] got ", examples, " examples for steps of ", size, "; expected at least ",
                      batching.drop_last ? size : 1);
  return steps;
}

/// Divides examples into passes of at most `rows` examples and (where one example alone does not exceed it)
/// `max_tokens` tokens, 0 for no limit. The longest come first and go where the fewest tokens are: packed rows need no
/// padding, so what length decides is the peak of memory.
[[nodiscard]] inline StepBatches divide_by_length(std::vector<Index> examples, std::vector<Index> const& lengths,
                                                  Index rows, Index max_tokens = 0) {
  auto const length = [&](Index i) { return lengths[static_cast<std::size_t>(i)]; };
  std::stable_sort(examples.begin(), examples.end(), [&](Index a, Index b) { return length(a) > length(b); });
  auto const count = static_cast<Index>(examples.size());
  Index passes = (count + rows - 1) / rows;
  if (max_tokens > 0) {
    Index const tokens = std::accumulate(examples.begin(), examples.end(), Index{0},
                                         [&](Index sum, Index i) { return sum + std::min(length(i), max_tokens); });
    passes = std::clamp((tokens + max_tokens - 1) / max_tokens, passes, count);
  }
  for (;; ++passes) {
    StepBatches plan(static_cast<std::size_t>(passes));
    std::vector<Index> load(plan.size());
    bool fits = true;
    for (Index i : examples) {
      std::size_t lightest = plan.size();
      for (std::size_t p = 0; p < plan.size(); ++p)
        if (static_cast<Index>(plan[p].size()) < rows && (lightest == plan.size() || load[p] < load[lightest]))
          lightest = p;
      fits = fits && (max_tokens == 0 || plan[lightest].empty() || load[lightest] + length(i) <= max_tokens);
      plan[lightest].push_back(i);
      load[lightest] += length(i);
    }
    if (fits) return plan;
  }
}

/// The steps of one epoch: the examples shuffled by (seed, epoch), cut into steps, each step divided into passes.
/// `lengths[i]` is the number of tokens of example i.
[[nodiscard]] inline std::vector<StepBatches> plan_epoch(std::vector<Index> const& lengths, Batching const& batching,
                                                         Index epoch) {
  auto const examples = static_cast<Index>(lengths.size());
  std::vector<Index> order(lengths.size());
  std::iota(order.begin(), order.end(), Index{0});
  shuffle(order, RandomKey(batching.seed).with("order of examples").with(static_cast<std::uint64_t>(epoch)));
  Index const steps = steps_per_epoch(examples, batching), size = batching.batch * batching.accumulate;
  std::vector<StepBatches> plan;
  for (Index step = 0; step < steps; ++step) {
    auto const first = order.begin() + step * size, last = order.begin() + std::min(examples, (step + 1) * size);
    plan.push_back(divide_by_length({first, last}, lengths, batching.batch, batching.max_tokens));
  }
  return plan;
}

}  // namespace graft
