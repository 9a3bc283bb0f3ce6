/// @file
/// @brief The examples as tokens, as a row's model reads them.
#pragma once

#include <vector>

#include <graft/data/template.hpp>
#include <graft/nn/rows.hpp>
#include <graft/text/tokenizer.hpp>

#include "data.hpp"

namespace compare {

struct Prompts {
  std::vector<graft::TokenizedExample> training, validation;
  std::vector<std::vector<graft::Token>> test;
  std::vector<graft::Token> end_tokens;
  graft::Truncation cut;  ///< of training and validation
};

/// Sources and targets in the template. The row `few_shot` has training examples, one a line, before every source (as many of `task.shots` as fit half
/// of the model's positions), and a line break as the end of a text, in loss and generation alike: that is the end which its context shows.
Prompts make_prompts(Request const& request, Examples const& examples, graft::Tokenizer const& tokenizer, Index positions);

}  // namespace compare
