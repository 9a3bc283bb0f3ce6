/// @file
/// @brief Which examples have the same source, and what a pass saves that computes it once.
#pragma once

#include <cstddef>
#include <vector>

#include <graft/nn/shared_rows.hpp>

namespace graft {

/// Examples by their sources.
struct ExamplesBySource {
  std::vector<Index> source;                 ///< `[examples]`: which source each has, numbered as they first occur
  std::vector<std::vector<Index>> examples;  ///< `[sources]`: those that have it, ascending
  std::vector<Index> shareable_tokens;       ///< `[sources]`: a source's tokens but the last, which each example has

  /// Whether any two examples have the same.
  [[nodiscard]] bool any_shared() const { return examples.size() < source.size(); }
};

/// What a pass saves that has `examples` of one source with so many shareable tokens: nothing where
/// `pack_causal_shared` makes no row of them.
[[nodiscard]] inline Index saved_tokens(Index examples, Index shareable) {
  Index const saved = (examples - 1) * shareable;
  return saved >= least_saving ? saved : 0;
}

/// The examples of each source (`source_key`).
[[nodiscard]] inline ExamplesBySource examples_by_source(std::vector<TokenizedExample> const& examples) {
  ExamplesBySource shared;
  SourceNumbers number;
  for (auto const& example : examples) {
    auto const [source, is_new] = number(example);
    if (is_new) {
      shared.examples.emplace_back();
      shared.shareable_tokens.push_back(example.source.empty() ? 0 : static_cast<Index>(example.source.size()) - 1);
    }
    shared.examples[static_cast<std::size_t>(source)].push_back(static_cast<Index>(shared.source.size()));
    shared.source.push_back(source);
  }
  return shared;
}

}  // namespace graft
