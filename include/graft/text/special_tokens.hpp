/// @file
/// @brief Ids with a role in training and generation.
#pragma once

#include <graft/core/types.hpp>

#include <optional>

namespace graft {

/// A role may be unfilled.
struct SpecialTokens {
  std::optional<Token> bos = std::nullopt;   ///< begins a text
  std::optional<Token> eos = std::nullopt;   ///< ends a text
  std::optional<Token> pad = std::nullopt;   ///< fills; graft itself never pads
  std::optional<Token> unk = std::nullopt;   ///< stands for what the vocabulary cannot spell
  std::optional<Token> sep = std::nullopt;   ///< stands between and behind texts (BERT, RoBERTa)
  std::optional<Token> cls = std::nullopt;   ///< begins what is to be classified (BERT, RoBERTa)
  std::optional<Token> mask = std::nullopt;  ///< hides a token that is to be guessed (BERT, RoBERTa)
};

}  // namespace graft
