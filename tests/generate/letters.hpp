// A tokenizer of letters, for models of `tiny_vocabulary` tokens.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/tokenizer.hpp>

#include "random_model.hpp"

namespace graft::testing {

/// One token for each of 22 letters, and an end of text.
inline Tokenizer letters() {
  ByteLevelBpeFields fields;
  for (Token id = 0; id < tiny_vocabulary - 1; ++id)
    fields.vocabulary.add(std::string(1, static_cast<char>('a' + id)), id, "letters");
  TokenizerParts parts;
  parts.model = std::make_shared<ByteLevelBpe>(std::move(fields));
  Token const end = tiny_vocabulary - 1;
  parts.added_tokens.push_back({.content = "<end>", .id = end, .special = true});
  parts.special_tokens.eos = end;
  return Tokenizer(std::move(parts));
}

}  // namespace graft::testing
