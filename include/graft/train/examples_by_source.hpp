/// @file
/// @brief Which examples have the same source, and what a pass saves that computes it once.
#pragma once

#include <cstddef>
#include <map>
#include <tuple>
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

/// Sources are the same where tokens, token types and adapter are.
[[nodiscard]] inline bool same_source(TokenizedExample const& a, TokenizedExample const& b) {
  return a.adapter == b.adapter && a.source == b.source && a.token_types == b.token_types;
}
/// What a pass saves that has `examples` of one source with so many shareable tokens: nothing where
/// `pack_causal_shared` makes no row of them.
[[nodiscard]] inline Index saved_tokens(Index examples, Index shareable) {
  Index const saved = (examples - 1) * shareable;
  return saved >= least_saving ? saved : 0;
}

/// The examples of each source (`same_source`).
[[nodiscard]] inline ExamplesBySource examples_by_source(std::vector<TokenizedExample> const& examples) {
  ExamplesBySource shared;
  std::map<std::tuple<Index, std::vector<Token> const&, std::vector<Index> const&>, Index> known;
  for (auto const& example : examples) {
    auto const [found, is_new] = known.try_emplace({example.adapter, example.source, example.token_types},
                                                   static_cast<Index>(shared.examples.size()));
    if (is_new) {
      shared.examples.emplace_back();
      shared.shareable_tokens.push_back(example.source.empty() ? 0 : static_cast<Index>(example.source.size()) - 1);
    }
    shared.examples[static_cast<std::size_t>(found->second)].push_back(static_cast<Index>(shared.source.size()));
    shared.source.push_back(found->second);
  }
  return shared;
}

}  // namespace graft
