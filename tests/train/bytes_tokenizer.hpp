// One token a byte: what a tokenizer looks like to the template.
#pragma once

#include <graft/core/types.hpp>

#include <optional>
#include <string_view>
#include <vector>

struct BytesTokenizer {
  struct Special {
    std::optional<graft::Token> bos, eos;
  };
  Special special{2, 127};
  [[nodiscard]] std::vector<graft::Token> encode(std::string_view text) const { return {text.begin(), text.end()}; }
  [[nodiscard]] Special special_tokens() const { return special; }
};
