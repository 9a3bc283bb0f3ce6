/// @file
/// @brief Packed rows: the batch as every activation sees it. Nothing is padded and nothing is computed for padding.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// The packed positions whose states predict something, and what they predict.
struct Targets {
  std::vector<Index> at;  ///< index into the packed tokens; ascending
  std::vector<Token>
      labels;  ///< the token that the state at `at` predicts; empty when only states or logits are wanted
  std::vector<double> weights;  ///< of each target in the loss; empty for all 1
  [[nodiscard]] Index size() const { return static_cast<Index>(at.size()); }
};

class TokenAddresses;
struct RowGroup;
/// Rows divided by their adapters; see `group_rows`.
using RowGroups = std::vector<RowGroup>;

/// Offsets and meaning of packed rows; travels with every activation `[tokens, width]`.
struct Rows {
  std::vector<Index> offsets{0};  ///< `[rows + 1]`: row r holds the packed tokens [offsets[r], offsets[r + 1])
  /// `[tokens]`: position of each token, without virtual tokens and keys; those below 0 are rows of a table before that
  /// of position 0
  std::vector<Index> positions;
  /// `[rows]`: index of the token before which infix activations stand; the row's length for its end. It counts from
  /// the first token of the row or, where that has parents, of its first ancestor
  std::vector<Index> insertion;
  std::vector<Index> token_types;  ///< `[tokens]`: the segment that each token belongs to (BERT); empty for all 0
  std::vector<std::uint64_t>
      examples;  ///< `[rows]`: what addresses the row's random numbers; never its place in the batch
  /// `[rows]`: which adapter of an `AdapterTable` each row has, −1 for none; empty for 0 in all. Other strategies do
  /// not read it
  std::vector<Index> adapter;
  /// `[rows]`: the earlier row that each row continues, or −1; empty for −1 in all. A row with a parent holds only the
  /// tokens after those of its ancestors; its positions follow theirs. So what several rows begin with is computed
  /// once. Only rows of a decoder stack have parents: states of an encoder's tokens depend on later ones
  std::vector<Index> parent;
  Targets targets;
  std::uint64_t step = 0;  ///< addresses this step's random numbers
  bool training = false;   ///< whether dropout acts
  bool recompute =
      false;  ///< whether layers keep their inputs alone for the backward pass, and are computed again in it
  /// These rows divided by their adapters, once for all layers of a pass; null where nobody needed it. It stays behind
  /// where rows change
  std::shared_ptr<RowGroups const> groups = nullptr;
  /// What addresses the tokens' random numbers in this step, likewise; see `addresses_of`
  std::shared_ptr<TokenAddresses const> addresses = nullptr;

  [[nodiscard]] Index count() const { return static_cast<Index>(offsets.size()) - 1; }
  [[nodiscard]] Index tokens() const { return offsets.back(); }
  [[nodiscard]] Index begin(Index row) const { return offsets[static_cast<std::size_t>(row)]; }
  [[nodiscard]] Index length(Index row) const { return offsets[static_cast<std::size_t>(row) + 1] - begin(row); }
  [[nodiscard]] Index adapter_of(Index row) const {
    return adapter.empty() ? 0 : adapter[static_cast<std::size_t>(row)];
  }
  [[nodiscard]] Index parent_of(Index row) const { return parent.empty() ? -1 : parent[static_cast<std::size_t>(row)]; }
};

/// Rows of the same step: what addresses its random numbers, and how it is computed.
inline void join_step(Rows& rows, Rows const& of) {
  rows.step = of.step;
  rows.training = of.training;
  rows.recompute = of.recompute;
}

/// What rows keep where their tokens become others: all but offsets, positions and token types. Targets and insertion
/// still point to the old tokens.
[[nodiscard]] inline Rows with_other_tokens(Rows const& rows) {
  Rows out;
  out.insertion = rows.insertion;
  out.examples = rows.examples;
  out.adapter = rows.adapter;
  out.parent = rows.parent;
  join_step(out, rows);
  out.targets = rows.targets;
  return out;
}

/// One array of tokens and its rows; for a decoder with an encoder, the encoder's too.
struct Batch {
  std::vector<Token> tokens;  ///< `[rows.tokens()]`
  Rows rows;
  std::vector<Token> source_tokens;  ///< `[source.tokens()]`: what the encoder reads
  Rows source;
  /// `[rows]`: the row of `source` whose encoder states each row attends to; empty where row r attends to row r
  std::vector<Index> source_of;

  /// The row of `source` that this row attends to.
  [[nodiscard]] Index source_row(Index row) const {
    return source_of.empty() ? row : source_of[static_cast<std::size_t>(row)];
  }
};

/// Tokens of one training example: the loss is taken on `target` alone, a text's tokens or a class.
struct TokenizedExample {
  std::vector<Token> source, target;
  std::uint64_t id = 0;                 ///< its index in the data set, whatever the order of training
  std::vector<Index> token_types = {};  ///< of the source, for encoders that have them; empty for all 0
  Index adapter = 0;                    ///< which adapter of an `AdapterTable` its row has, −1 for none
};

namespace detail {

inline void check_source(TokenizedExample const& example) {
  if (example.source.empty())
    fail("[pack] got an example (number ", example.id,
         ") without source tokens; expected at least one; hint: a separator or a start token");
  if (!example.token_types.empty() && example.token_types.size() != example.source.size())
    fail<ShapeError>("[pack] got an example (number ", example.id, ") with ", example.token_types.size(),
                     " token types; expected none or ", example.source.size());
}

/// What a row is besides its tokens.
struct RowKind {
  std::uint64_t example;  ///< addresses its random numbers
  Index adapter;
  Index parent = -1;    ///< as in `Rows`
  Index earlier = 0;    ///< tokens of its ancestors
  Index insertion = 0;  ///< counts these too
};

/// Adds one to a list that is empty while all entries would be `usual`.
inline void append_entry(std::vector<Index>& list, Index entry, Index usual, Index rows) {
  if (entry == usual && list.empty()) return;
  list.resize(static_cast<std::size_t>(rows), usual);  // of rows that named none
  list.push_back(entry);
}

/// Ends a row of `length` tokens, whose positions follow those of its ancestors.
inline void close_row(Rows& rows, Index length, RowKind const& kind) {
  for (Index i = 0; i < length; ++i) rows.positions.push_back(kind.earlier + i);
  rows.insertion.push_back(kind.insertion);
  rows.examples.push_back(kind.example);
  append_entry(rows.adapter, kind.adapter, 0, rows.count());
  append_entry(rows.parent, kind.parent, -1, rows.count());
  rows.offsets.push_back(rows.tokens() + length);
}
inline void add_target(Rows& rows, Index at, Token label) {
  rows.targets.at.push_back(at);
  rows.targets.labels.push_back(label);
  rows.targets.weights.push_back(1.0);
}
/// The source as an encoder's row. Token types are kept where any row has them.
inline void append_encoder_tokens(std::vector<Token>& tokens, Rows& rows, TokenizedExample const& example) {
  check_source(example);
  auto const length = static_cast<Index>(example.source.size());
  tokens.insert(tokens.end(), example.source.begin(), example.source.end());
  if (!example.token_types.empty()) rows.token_types.resize(static_cast<std::size_t>(rows.tokens()), 0);
  rows.token_types.insert(rows.token_types.end(), example.token_types.begin(), example.token_types.end());
  close_row(rows, length, {.example = example.id, .adapter = example.adapter, .insertion = length});
  if (!rows.token_types.empty()) rows.token_types.resize(tokens.size(), 0);
}

/// Appends source + target but for the first `earlier` source tokens, which the row `parent` and its ancestors hold.
inline void append_causal_tokens(Batch& batch, TokenizedExample const& example, Index parent, Index earlier) {
  Index const begin = batch.rows.tokens(), source = static_cast<Index>(example.source.size()),
              target = static_cast<Index>(example.target.size());
  batch.tokens.insert(batch.tokens.end(), example.source.begin() + earlier, example.source.end());
  // the state at the last target token predicts nothing
  if (target > 0) batch.tokens.insert(batch.tokens.end(), example.target.begin(), example.target.end() - 1);
  for (Index i = 0; i < target; ++i)
    add_target(batch.rows, begin + source - earlier - 1 + i, example.target[static_cast<std::size_t>(i)]);
  close_row(batch.rows, source - earlier + std::max<Index>(0, target - 1),
            {.example = example.id,
             .adapter = example.adapter,
             .parent = parent,
             .earlier = earlier,
             .insertion = source - 1});
}
/// Appends `start` + target as a row that attends to row `source` of the encoder.
inline void append_decoder_row(Batch& batch, TokenizedExample const& example, Token start, Index source) {
  Index const begin = batch.rows.tokens(), row = batch.rows.count(), target = static_cast<Index>(example.target.size());
  batch.tokens.push_back(start);
  if (target > 0) batch.tokens.insert(batch.tokens.end(), example.target.begin(), example.target.end() - 1);
  for (Index i = 0; i < target; ++i) add_target(batch.rows, begin + i, example.target[static_cast<std::size_t>(i)]);
  if (source != row || !batch.source_of.empty()) {
    for (auto r = static_cast<Index>(batch.source_of.size()); r < row; ++r) batch.source_of.push_back(r);
    batch.source_of.push_back(source);
  }
  close_row(batch.rows, std::max<Index>(1, target), {.example = example.id, .adapter = example.adapter});
}

}  // namespace detail

/// Appends source + target as one row of a causal language model. The states at |source| − 1 … predict the target;
/// infix activations stand before the last source token, so that the state predicting the first target token sees them.
inline void append_causal_row(Batch& batch, TokenizedExample const& example) {
  detail::check_source(example);
  detail::append_causal_tokens(batch, example, -1, 0);
}

/// Appends the source as a row of the encoder and `start` + target as a row of the decoder, whose states predict the
/// target.
inline void append_encoder_decoder_row(Batch& batch, TokenizedExample const& example, Token start) {
  detail::append_encoder_tokens(batch.source_tokens, batch.source, example);
  detail::append_decoder_row(batch, example, start, batch.source.count() - 1);
}

/// Appends the source as a row whose first token's state predicts the class, `target`'s one number (none where there is
/// no target).
inline void append_classification_row(Batch& batch, TokenizedExample const& example) {
  if (example.target.size() > 1)
    fail("[pack] got an example (number ", example.id, ") with ", example.target.size(),
         " target numbers; expected one class");
  Index const begin = batch.rows.tokens();
  detail::append_encoder_tokens(batch.tokens, batch.rows, example);
  if (!example.target.empty()) detail::add_target(batch.rows, begin, example.target.front());
}

/// RoBERTa gives a padding token that stands in a text the position before all others, and does not count it: so in the
/// last row.
inline void skip_padding(Batch& batch, Token padding) {
  Rows& rows = batch.rows;
  Index position = 0;
  for (Index i = rows.begin(rows.count() - 1); i < rows.tokens(); ++i) {
    auto const at = static_cast<std::size_t>(i);
    rows.positions[at] = batch.tokens[at] == padding ? -1 : position++;
  }
}

/// Packs examples of a causal language model into one batch.
[[nodiscard]] inline Batch pack(std::vector<TokenizedExample> const& examples) {
  Batch batch;
  for (auto const& example : examples) append_causal_row(batch, example);
  return batch;
}

}  // namespace graft
