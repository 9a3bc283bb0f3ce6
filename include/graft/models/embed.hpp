/// @file
/// @brief The input of a stack's first layer: tokens, virtual tokens, positions, token types, norm.
#pragma once

#include <vector>

#include <graft/models/model_parts.hpp>
#include <graft/models/pass.hpp>
#include <graft/ops/gather.hpp>

namespace graft {

/// `[tokens, width]`: scaled embeddings of the tokens, joined by the virtual tokens of the step, plus learned positions
/// and token types, normed where the architecture has a norm there.
template <Architecture A, class State, class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> embed_rows(ModelParts<A, State, Scalar, Device> const& parts,
                                                  std::vector<Token> const& tokens,
                                                  StackPass<Scalar, Device> const& pass) {
  ModelConfig const& config = parts.config();
  LayerAddress const stack{pass.stack, -1};
  auto x = parts.weights.embed({Site::token_embedding}, tokens, parts.state);  // [real tokens, width]
  if (config.embedding_scale != 1.0) x = scale(x, config.embedding_scale);     // [real tokens, width]
  if (pass.layout.rows.tokens() != static_cast<Index>(tokens.size())) {
    std::vector<Variable<Scalar, Device>> sources{x};  // [real tokens, width], then [virtual tokens, width] each
    for (auto const& tokens_of_strategy : parts.prepared.tokens) sources.push_back(cast<Scalar>(tokens_of_strategy));
    x = assemble_rows(sources, pass.layout.assembly);  // [tokens, width]
  }
  if constexpr (A::positions == PositionKind::learned) {
    std::vector<Token> positions;
    positions.reserve(pass.layout.rows.positions.size());
    for (Index position : pass.layout.rows.positions)
      positions.push_back(static_cast<Token>(position + config.position_offset));
    x = add(x, parts.weights.embed({Site::position_embedding, stack}, positions, parts.state));  // [tokens, width]
  }
  if constexpr (has_site<A>(Site::token_type_embedding)) {
    std::vector<Token> types(pass.layout.rows.token_types.begin(), pass.layout.rows.token_types.end());
    types.resize(static_cast<std::size_t>(x.rows()), 0);
    x = add(x, parts.weights.embed({Site::token_type_embedding, stack}, types, parts.state));  // [tokens, width]
  }
  if constexpr (has_site<A>(Site::embedding_norm)) x = parts.norm({Site::embedding_norm, stack}, x);  // [tokens, width]
  return x;
}

}  // namespace graft
