/// @file
/// @brief The examples as tokens, as a row's model reads them.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include <graft/io/template_file.hpp>
#include <graft/models/config.hpp>
#include <graft/models/row_limits.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>

#include "data.hpp"

namespace compare {

/// A row that a model cannot have, and why.
struct NotApplicable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Prompts {
  std::vector<graft::TokenizedExample> training, validation;
  std::vector<std::vector<graft::TokenizedExample>> tests;  ///< of each test set, without targets
  std::vector<graft::Token> end_tokens;
  std::function<std::string(std::vector<graft::Token> const&)>
      text;                                ///< of what the model wrote, without the end token
  std::vector<std::string> classes;        ///< of a classifier: the texts that its classes stand for
  Index cut_sources = 0, cut_targets = 0;  ///< examples that maximum lengths shortened
};

/// What stands around the texts: the options', else what a merged model's folder keeps, else the default of the kind of
/// model, as for `finetune`.
/// @param says whether options that differ from what the folder keeps are warned of: once for all rows
graft::AdapterTemplate template_of(Task const& task, graft::ModelConfig const& config, graft::ModelInfo const& info,
                                   bool says);

/// - A decoder reads sources and targets in one template. The row `few_shot` has training examples, one a line, before
///   every source (as many of `task.shots` as fit half of the model's positions), and a line break as the end of a
///   text, in loss and generation alike: that is the end which its context shows. Its outputs are first lines; all
///   others are whole.
/// - An encoder–decoder reads the source with its tokenizer's template and writes the target.
/// - A classifier reads the source, or the two texts that it joins; the targets are its classes.
/// @throws NotApplicable for `few_shot` where the model does not continue texts
Prompts make_prompts(Request const& request, Examples const& examples, graft::ModelConfig const& config,
                     graft::ModelInfo const& info);

/// Holds all rows against the model's limits.
/// @throws ConfigError that names the file's line, or the example, of one that is too long or has a token that the
/// model lacks
void check_lengths(Task const& task, Examples const& examples, Prompts const& prompts, graft::RowLimits const& limits);

/// What a classifier's classes stand for: the task's, else the distinct targets and references, in order.
/// @throws ConfigError where they look like texts, not classes
std::vector<std::string> class_names(Examples const& examples);

}  // namespace compare
