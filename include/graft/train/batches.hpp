/// @file
/// @brief Which examples each optimizer step sees: a pure function of the seed, the epoch and the examples'
/// lengths, and of which have the same source where sources are shared.
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <graft/core/types.hpp>
#include <graft/train/examples_by_source.hpp>

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

namespace detail {

/// Examples that stay in one pass, and their tokens there.
struct TogetherInAPass {
  std::vector<Index> examples;
  Index tokens = 0;
};

/// Divides into passes of at most `rows` examples and (where one part alone does not exceed it) `max_tokens` tokens, 0
/// for no limit. The longest come first and go where the fewest tokens are. No part has more than `rows` examples.
[[nodiscard]] inline StepBatches divide_parts(std::vector<TogetherInAPass> parts, Index rows, Index max_tokens) {
  std::stable_sort(parts.begin(), parts.end(), [](auto const& a, auto const& b) { return a.tokens > b.tokens; });
  Index examples = 0, tokens = 0;
  for (auto const& part : parts) {
    examples += static_cast<Index>(part.examples.size());
    tokens += max_tokens > 0 ? std::min(part.tokens, max_tokens) : 0;
  }
  Index passes = (examples + rows - 1) / rows;
  if (max_tokens > 0)
    passes =
        std::clamp((tokens + max_tokens - 1) / max_tokens, passes, std::max(passes, static_cast<Index>(parts.size())));
  for (;; ++passes) {
    StepBatches plan(static_cast<std::size_t>(passes));
    std::vector<Index> load(plan.size());
    bool fits = true;
    for (auto const& part : parts) {
      auto const size = static_cast<Index>(part.examples.size());
      std::size_t lightest = plan.size();
      for (std::size_t p = 0; p < plan.size(); ++p)
        if (static_cast<Index>(plan[p].size()) + size <= rows && (lightest == plan.size() || load[p] < load[lightest]))
          lightest = p;
      fits = lightest < plan.size() &&
             (max_tokens == 0 || plan[lightest].empty() || load[lightest] + part.tokens <= max_tokens);
      if (!fits) break;
      plan[lightest].insert(plan[lightest].end(), part.examples.begin(), part.examples.end());
      load[lightest] += part.tokens;
    }
    if (fits) return plan;
  }
}

}  // namespace detail

/// Divides examples into passes of at most `rows` examples and (where one example alone does not exceed it)
/// `max_tokens` tokens, 0 for no limit. The longest come first and go where the fewest tokens are: packed rows need no
/// padding, so what length decides is the peak of memory.
[[nodiscard]] inline StepBatches divide_by_length(std::vector<Index> const& examples, std::vector<Index> const& lengths,
                                                  Index rows, Index max_tokens = 0) {
  std::vector<detail::TogetherInAPass> parts;
  parts.reserve(examples.size());
  for (Index i : examples) parts.push_back({{i}, lengths[static_cast<std::size_t>(i)]});
  return detail::divide_parts(std::move(parts), rows, max_tokens);
}
/// The same, but examples with the same source, which are neighbours in `examples`, stay together as far as a pass has
/// room. A source counts once in each part.
[[nodiscard]] inline StepBatches divide_by_source(std::vector<Index> const& examples, std::vector<Index> const& lengths,
                                                  ExamplesBySource const& shared, Index rows, Index max_tokens = 0) {
  std::vector<detail::TogetherInAPass> parts;
  Index before = -1, apart = 0;  // of the last part: its source, and its tokens if nothing were shared
  for (Index i : examples) {
    auto const at = static_cast<std::size_t>(i);
    Index const source = shared.source[at], shareable = shared.shareable_tokens[static_cast<std::size_t>(source)];
    auto const tokens_with = [&](Index count) { return apart + lengths[at] - saved_tokens(count, shareable); };
    Index const count = source == before ? static_cast<Index>(parts.back().examples.size()) + 1 : 1;
    bool const joins = count > 1 && count <= rows && (max_tokens == 0 || tokens_with(count) <= max_tokens);
    if (!joins) parts.emplace_back(), apart = 0;
    parts.back().tokens = tokens_with(joins ? count : 1);
    parts.back().examples.push_back(i);
    apart += lengths[at];
    before = source;
  }
  return detail::divide_parts(std::move(parts), rows, max_tokens);
}

/// The steps of one epoch: the examples shuffled by (seed, epoch), cut into steps, each step divided into passes.
/// `lengths[i]` is the number of tokens of example i.
/// @param shared if given, sources are shuffled in place of examples. The examples of a source follow each other, in an
/// order that is shuffled too
[[nodiscard]] inline std::vector<StepBatches> plan_epoch(std::vector<Index> const& lengths, Batching const& batching,
                                                         Index epoch, ExamplesBySource const* shared = nullptr) {
  auto const examples = static_cast<Index>(lengths.size());
  auto const number = static_cast<std::uint64_t>(epoch);
  auto const key = [&](char const* of) { return RandomKey(batching.seed).with(of).with(number); };
  auto const shuffled = [](std::size_t count, RandomKey by) {
    std::vector<Index> all(count);
    std::iota(all.begin(), all.end(), Index{0});
    shuffle(all, by);
    return all;
  };
  std::vector<Index> order;
  if (!shared) {
    order = shuffled(lengths.size(), key("order of examples"));
  } else {
    for (Index s : shuffled(shared->examples.size(), key("order of sources"))) {
      auto own = shared->examples[static_cast<std::size_t>(s)];
      shuffle(own, key("order of a source's examples").with(static_cast<std::uint64_t>(s)));
      order.insert(order.end(), own.begin(), own.end());
    }
  }
  Index const steps = steps_per_epoch(examples, batching), size = batching.batch * batching.accumulate;
  std::vector<StepBatches> plan;
  for (Index step = 0; step < steps; ++step) {
    std::vector<Index> const own(order.begin() + step * size, order.begin() + std::min(examples, (step + 1) * size));
    plan.push_back(shared ? divide_by_source(own, lengths, *shared, batching.batch, batching.max_tokens)
                          : divide_by_length(own, lengths, batching.batch, batching.max_tokens));
  }
  return plan;
}

}  // namespace graft
