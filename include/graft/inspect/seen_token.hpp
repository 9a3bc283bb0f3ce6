/// @file
/// @brief What queries and keys of an inspected pass are: real tokens, virtual ones, virtual keys.
#pragma once

#include <vector>

#include <graft/models/row_layout.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// What stands at one place that attention reads.
enum class SeenKind {
  prefix,         ///< a virtual key and value before the row's first token
  infix,          ///< a virtual key and value at `Rows::insertion`
  virtual_token,  ///< a trained embedding
  source,         ///< a token that the model was given to read
  target          ///< a token that the model writes
};

/// One query or key of a row.
struct SeenToken {
  SeenKind kind = SeenKind::source;
  Index index = 0;   ///< of real tokens, the place among the row's real tokens; of the others, the number in their kind
  Token token = -1;  ///< of real tokens
  friend bool operator==(SeenToken const&, SeenToken const&) = default;
};

/// All tokens of row `row` of a stack, virtual ones included, in their order. Of a model with a decoder alone, tokens
/// up to `Rows::insertion` are source, later ones target. Of a model with both stacks, the encoder's are source and the
/// decoder's target. An encoder alone has source tokens.
/// @param layout the stack's rows, `[tokens]` with virtual ones
/// @param rows the stack's rows as the batch has them; `tokens` are their real tokens
/// @param has_encoder whether an encoder reads the source for this stack
[[nodiscard]] inline std::vector<SeenToken> seen_tokens(RowLayout const& layout, Rows const& rows,
                                                        std::vector<Token> const& tokens, Index row, Stack stack,
                                                        bool has_encoder) {
  std::vector<SeenToken> seen;
  Index virtual_tokens = 0;
  for (Index i = 0; i < layout.rows.length(row); ++i) {
    auto const [source, packed] = layout.assembly[static_cast<std::size_t>(layout.rows.begin(row) + i)];
    if (source != 0) {
      seen.push_back({SeenKind::virtual_token, virtual_tokens++, -1});
      continue;
    }
    Index const index = packed - rows.begin(row);
    bool const written =
        stack == Stack::decoder && (has_encoder || index > rows.insertion[static_cast<std::size_t>(row)]);
    seen.push_back({written ? SeenKind::target : SeenKind::source, index, tokens[static_cast<std::size_t>(packed)]});
  }
  return seen;
}

}  // namespace graft
