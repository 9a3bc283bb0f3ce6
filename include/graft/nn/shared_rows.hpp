/// @file
/// @brief Examples as rows that share what they have in common, so that it is computed once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/nn/common_beginnings.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// A shared row is made where it saves at least so many tokens.
inline constexpr Index least_saving = 8;

/// Packs examples of a causal language model; what several sources begin with is a row of its own, from which theirs go
/// on (`Rows::parent`). The last source token stands in each example's own row: infix activations precede it, and its
/// state predicts the first target. First come the shared rows, then those of the examples in their order.
///
///     source a b c, targets x y and z:   row 0: a b     row 1 (parent 0): c x     row 2 (parent 0): c
///
/// (With fewer than `least_saving` tokens to save, as here, the two are rows of their own.)
[[nodiscard]] inline Batch pack_causal_shared(std::vector<TokenizedExample> const& examples) {
  std::vector<ShareableSequence> sources;
  for (auto const& example : examples) {
    detail::check_source(example);
    sources.push_back({example.source, static_cast<Index>(example.source.size()) - 1, example.adapter});
  }
  CommonBeginnings const common = common_beginnings(sources, least_saving);
  // Random numbers are addressed by the least id of those that share a row, whatever the order in the batch.
  std::vector<std::uint64_t> ids(common.shared.size(), std::numeric_limits<std::uint64_t>::max());
  for (std::size_t i = 0; i < examples.size(); ++i)
    for (Index s = common.longest[i]; s >= 0; s = common.shared[static_cast<std::size_t>(s)].parent)
      ids[static_cast<std::size_t>(s)] = std::min(ids[static_cast<std::size_t>(s)], examples[i].id);
  Batch batch;
  for (std::size_t s = 0; s < common.shared.size(); ++s) {
    auto const& shared = common.shared[s];
    auto const& example = examples[static_cast<std::size_t>(shared.sequence)];
    batch.tokens.insert(batch.tokens.end(), example.source.begin() + shared.begin, example.source.begin() + shared.end);
    // no example's number, but by an accident of 64 bits
    auto const address = RandomKey(ids[s]).with("source").bits(static_cast<std::uint64_t>(shared.begin));
    detail::close_row(batch.rows, shared.size(),
                      {.example = address,
                       .adapter = example.adapter,
                       .parent = shared.parent,
                       .earlier = shared.begin,
                       .insertion = static_cast<Index>(example.source.size()) - 1});
  }
  for (std::size_t i = 0; i < examples.size(); ++i)
    detail::append_causal_tokens(batch, examples[i], common.longest[i], common.shared_of(i));
  return batch;
}

/// What makes sources the same: adapter, tokens and token types.
[[nodiscard]] inline auto source_key(TokenizedExample const& example) {
  return std::tie(example.adapter, example.source, example.token_types);
}
/// A number for each source, in the order in which sources are met. The examples must outlive it.
class SourceNumbers {
 public:
  /// The number, and whether the source is new.
  [[nodiscard]] std::pair<Index, bool> operator()(TokenizedExample const& example) {
    auto const [known, is_new] = numbers_.try_emplace(source_key(example), static_cast<Index>(numbers_.size()));
    return {known->second, is_new};
  }

 private:
  std::map<decltype(source_key(std::declval<TokenizedExample const&>())), Index> numbers_;
};

/// Packs examples of an encoder–decoder; equal sources are one row of the encoder, to which the rows of their targets
/// attend (`Batch::source_of`).
[[nodiscard]] inline Batch pack_encoder_decoder_shared(std::vector<TokenizedExample> const& examples, Token start) {
  Batch batch;
  SourceNumbers number;
  for (auto const& example : examples) {
    auto const [row, is_new] = number(example);
    if (is_new) detail::append_encoder_tokens(batch.source_tokens, batch.source, example);
    detail::append_decoder_row(batch, example, start, row);
  }
  return batch;
}

}  // namespace graft
