/// @file
/// @brief Which examples have the same source: their sources are computed once for all of them in a pass.
#pragma once

#include <cstddef>
#include <map>
#include <tuple>
#include <vector>

#include <graft/nn/rows.hpp>

namespace graft {

/// Examples by their sources.
struct SharedSources {
  std::vector<Index> source;                 ///< `[examples]`: which source each has, numbered as they first occur
  std::vector<std::vector<Index>> examples;  ///< `[sources]`: those that have it, ascending
  std::vector<Index> tokens;                 ///< `[sources]`: tokens that one of a pass' examples computes for all

  /// Whether any two examples have the same.
  [[nodiscard]] bool any() const { return examples.size() < source.size(); }
};

/// Sources are the same where tokens, token types and adapter are. The last source token is each example's own.
[[nodiscard]] inline SharedSources shared_sources(std::vector<TokenizedExample> const& examples) {
  SharedSources shared;
  std::map<std::tuple<Index, std::vector<Token> const&, std::vector<Index> const&>, Index> known;
  for (auto const& example : examples) {
    auto const [found, is_new] = known.try_emplace({example.adapter, example.source, example.token_types},
                                                   static_cast<Index>(shared.examples.size()));
    if (is_new) {
      shared.examples.emplace_back();
      shared.tokens.push_back(example.source.empty() ? 0 : static_cast<Index>(example.source.size()) - 1);
    }
    shared.examples[static_cast<std::size_t>(found->second)].push_back(static_cast<Index>(shared.source.size()));
    shared.source.push_back(found->second);
  }
  return shared;
}

}  // namespace graft
