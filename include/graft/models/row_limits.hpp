/// @file
/// @brief How long a row may be for a model with its adaptation, and which tokens it may have: known before anything is
/// computed.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/models/row_layout.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// Rows that a model takes: its positions, less those of virtual tokens and keys. A decoder's row is the source and
/// all but the last token of the target. An
/// encoder–decoder has the source in a row of the encoder, and the start token with all but the last target token in
/// one of the decoder. A classifier's row is the source.
class RowLimits {
 public:
  /// A model with `info()`, `config()` and `additions()`: every `Transformer`. Nothing is computed.
  template <class Model>
  explicit RowLimits(Model const& model)
      : pairs_(model.info().main().crosses),
        classifies_(model.info().classifies),
        positions_(model.config().positions),
        vocabulary_(model.config().vocabulary),
        source_stack_(model.info().input().stack),
        target_stack_(model.info().main().stack),
        additions_(model.additions()) {}

  /// Positions of a stack.
  [[nodiscard]] Index positions() const { return positions_; }
  /// The longest source that fits before a target (or new text) of `target` tokens in a row with this adapter (see
  /// `Rows::adapter`); less than 1 where none does.
  [[nodiscard]] Index longest_source(Index target, Index adapter = 0) const {
    RowReach const reach = source(adapter);
    if (pairs_ || classifies_) return longest([&](Index length) { return reach.positions(length, length); });
    return longest([&](Index length) { return row_positions(reach, length, target); });
  }
  /// The longest target (or new text) after a source of `source` tokens; less than 1 where none fits.
  [[nodiscard]] Index longest_target(Index source, Index adapter = 0) const {
    RowReach const reach = target(adapter);
    if (pairs_) return longest([&](Index length) { return reach.positions(length, 0); });
    return longest([&](Index length) { return row_positions(reach, source, length); });
  }
  /// What is wrong with an example: "got 70 tokens and 10 virtual ones; expected …"; nothing where it fits. An empty
  /// source is left to others.
  [[nodiscard]] std::optional<std::string> excess(TokenizedExample const& example) const {
    auto const source = static_cast<Index>(example.source.size()), target = static_cast<Index>(example.target.size());
    RowReach const reach = this->target(example.adapter);
    if (pairs_ || classifies_) {
      if (auto found = source_excess(source, example.adapter); found || classifies_) return found;
      Index const row = std::max<Index>(1, target), needed = reach.positions(row, 0);
      return needed <= positions_ ? std::nullopt
                                  : std::optional(together(cat("a target of ", row, " tokens"), row, needed));
    }
    Index const row = source + std::max<Index>(0, target - 1), needed = row_positions(reach, source, target);
    if (needed <= positions_) return std::nullopt;
    return cat("got ", source + target, " tokens of source and target",
               needed > row ? cat(", and ", needed - row, " virtual ones") : "", all_but_the_last());
  }
  /// The same of a prompt that may become longer by `new_tokens`, which are called by the name of a setting where there
  /// is one: "got 70 tokens, 10 virtual ones and max_new_tokens 20; expected …".
  [[nodiscard]] std::optional<std::string> excess(std::vector<Token> const& prompt, Index new_tokens,
                                                  char const* setting = nullptr, Index adapter = 0) const {
    RowReach const reach = target(adapter);
    auto const source = static_cast<Index>(prompt.size());
    auto const new_ones = [&] {
      return setting ? cat(setting, " ", new_tokens) : cat("up to ", new_tokens, " new tokens");
    };
    if (pairs_) {
      if (auto found = source_excess(source, adapter)) return found;
      if (reach.positions(new_tokens, 0) <= positions_) return std::nullopt;
      return together(new_ones(), new_tokens, reach.positions(new_tokens, 0));
    }
    if (classifies_) return source_excess(source, adapter);
    Index const needed = row_positions(reach, source, new_tokens), row = source + std::max<Index>(0, new_tokens - 1);
    if (needed <= positions_) return std::nullopt;
    return cat("got ", source, " tokens", needed > row ? cat(", ", needed - row, " virtual ones") : "", " and ",
               new_ones(), all_but_the_last());
  }
  /// What is wrong with the tokens of a row: "has the token 102 in its source; expected …"; nothing where the model's
  /// embedding has all. A classifier's target is a class and no token.
  [[nodiscard]] std::optional<std::string> foreign_token(TokenizedExample const& example) const {
    if (auto found = foreign_token(example.source, "source"); found || classifies_) return found;
    return foreign_token(example.target, "target");
  }
  /// The same of a prompt.
  [[nodiscard]] std::optional<std::string> foreign_token(std::vector<Token> const& tokens,
                                                         char const* part = nullptr) const {
    for (Token const token : tokens)
      if (token < 0 || token >= vocabulary_)
        return cat("has the token ", token, part ? cat(" in its ", part) : "", "; expected 0 to ", vocabulary_ - 1,
                   ", the model's vocabulary; hint: the tokenizer is another model's, or its files add tokens that "
                   "this one lacks");
    return std::nullopt;
  }

 private:
  [[nodiscard]] RowReach source(Index adapter) const { return reach_of(additions_, source_stack_, adapter); }
  [[nodiscard]] RowReach target(Index adapter) const { return reach_of(additions_, target_stack_, adapter); }
  [[nodiscard]] static Index row_positions(RowReach const& reach, Index source, Index target) {
    return reach.positions(source + std::max<Index>(0, target - 1), std::max<Index>(0, source - 1));
  }
  /// The greatest length whose positions the model has; they grow by one with it.
  template <class Positions>
  [[nodiscard]] Index longest(Positions const& positions_of) const {
    Index low = 0, high = positions_;
    while (low < high) {
      Index const middle = low + (high - low + 1) / 2;
      if (positions_of(middle) <= positions_)
        low = middle;
      else
        high = middle - 1;
    }
    return positions_of(low) <= positions_ ? low : 0;
  }
  /// Of a row that holds the source alone.
  [[nodiscard]] std::optional<std::string> source_excess(Index source, Index adapter) const {
    Index const needed = this->source(adapter).positions(source, source);
    if (needed <= positions_) return std::nullopt;
    return together(cat("a source of ", source, " tokens"), source, needed);
  }
  [[nodiscard]] std::string together(std::string const& what, Index tokens, Index needed) const {
    return cat("got ", what, needed > tokens ? cat(" and ", needed - tokens, " virtual ones") : "",
               "; expected at most ", positions_, " together, the model's positions");
  }
  [[nodiscard]] std::string all_but_the_last() const {
    return cat("; expected at most ", positions_ + 1, " together, as the model has ", positions_,
               " positions and reads all but the last");
  }

  bool pairs_, classifies_;
  Index positions_, vocabulary_;
  Stack source_stack_, target_stack_;
  Additions additions_;
};

}  // namespace graft
