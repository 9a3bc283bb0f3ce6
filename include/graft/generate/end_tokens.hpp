/// @file
/// @brief Which tokens end the texts of a model.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <graft/models/config.hpp>

namespace graft {

/// What ends the texts of a model: what its checkpoint names (transformers' `generate` stops at each of them), else the
/// tokenizer's end of text. An adapted model stops at `trained`, the end token of its training, too.
[[nodiscard]] inline std::vector<Token> end_tokens(ModelConfig const& config, std::optional<Token> trained,
                                                   bool adapted) {
  std::vector<Token> ends = config.ends;
  auto const add = [&](Token end) {
    if (end >= 0 && end < config.vocabulary && std::find(ends.begin(), ends.end(), end) == ends.end())
      ends.push_back(end);
  };
  if (trained && (adapted || ends.empty())) add(*trained);
  if (ends.empty()) add(config.eos);
  return ends;
}

}  // namespace graft
