/// @file
/// @brief Examples as rows that share what they have in common, so that it is computed once.
#pragma once

#include <cstddef>
#include <map>
#include <tuple>
#include <vector>

#include <graft/core/random.hpp>
#include <graft/nn/common_beginnings.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// Saved tokens that outweigh a row more in the batch.
inline constexpr Index worth_a_row = 8;

/// Packs examples of a causal language model; what several sources begin with is a row of its own, from which theirs go
/// on (`Rows::parent`). The last source token stands in each example's own row: infix activations precede it, and its
/// state predicts the first target. First come the shared rows, then those of the examples in their order.
///
///     source a b c, targets x y and z:   row 0: a b     row 1 (parent 0): c x     row 2 (parent 0): c
[[nodiscard]] inline Batch pack_causal_shared(std::vector<TokenizedExample> const& examples) {
  std::vector<Beginning> sources;
  for (auto const& example : examples) {
    detail::check_source(example);
    sources.push_back({example.source, static_cast<Index>(example.source.size()) - 1, example.adapter});
  }
  CommonBeginnings const common = common_beginnings(sources, worth_a_row);
  Batch batch;
  for (auto const& shared : common.shared) {
    auto const& example = examples[static_cast<std::size_t>(shared.sequence)];
    batch.tokens.insert(batch.tokens.end(), example.source.begin() + shared.begin, example.source.begin() + shared.end);
    // an address that no example has
    auto const address = RandomKey(example.id).with("source").bits(static_cast<std::uint64_t>(shared.begin));
    detail::close_row(batch.rows, shared.size(),
                      {.example = address,
                       .adapter = example.adapter,
                       .parent = shared.parent,
                       .earlier = shared.begin,
                       .insertion = static_cast<Index>(example.source.size()) - 1});
  }
  for (std::size_t i = 0; i < examples.size(); ++i)
    detail::append_causal_tokens(batch, examples[i], common.last[i], common.shared_of(i));
  return batch;
}

/// Packs examples of an encoder–decoder; equal sources are one row of the encoder, to which the rows of their targets
/// attend (`Batch::source_of`).
[[nodiscard]] inline Batch pack_encoder_decoder_shared(std::vector<TokenizedExample> const& examples, Token start) {
  Batch batch;
  std::map<std::tuple<Index, std::vector<Token> const&, std::vector<Index> const&>, Index> known;
  for (auto const& example : examples) {
    auto const [row, is_new] =
        known.try_emplace({example.adapter, example.source, example.token_types}, batch.source.count());
    if (is_new) detail::append_encoder_tokens(batch.source_tokens, batch.source, example);
    detail::append_decoder_row(batch, example, start, row->second);
  }
  return batch;
}

}  // namespace graft
