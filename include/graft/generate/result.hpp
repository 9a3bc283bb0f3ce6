/// @file
/// @brief What generation returns.
#pragma once

#include <vector>

#include <graft/core/types.hpp>

namespace graft {

/// One generated text.
struct Generated {
  std::vector<Token> tokens = {};  ///< without the prompt; its end token, where it has one, is the last
  /// Σ log p (natural logarithm); of beam search, Σ log p / |tokens|^length_penalty. Greedy search, sampling and a
  /// single beam count p of the model itself, whatever the processors did. Several beams count it after the processors,
  /// as in transformers: a forced token adds 0 there.
  double score = 0;
  bool finished = false;  ///< ended by an end token; false when cut at max_new_tokens
};

/// `[prompts][texts of the prompt]`; beam search puts the best first.
using Generations = std::vector<std::vector<Generated>>;

}  // namespace graft
