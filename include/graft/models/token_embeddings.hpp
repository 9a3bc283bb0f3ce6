/// @file
/// @brief Rows of a model's token embedding: what its first layer reads of tokens.
#pragma once

#include <span>
#include <vector>

#include <graft/models/weights.hpp>
#include <graft/ops/embedding.hpp>

namespace graft {

/// Rows of the token embedding, `[tokens, width]`, those that the strategy trains where it trains them. As the table
/// stores them: a model that scales embeddings (`ModelConfig::embedding_scale`) does that later.
/// @throws Error for a token that the model lacks
template <class Model>
[[nodiscard]] Tensor<typename Model::scalar_type, typename Model::device_type> token_embeddings(
    Model const& model, std::span<Token const> tokens) {
  using State = typename Model::State;
  using Scalar = typename Model::scalar_type;
  using Access = WeightAccess<typename Model::architecture, State, Scalar, typename Model::device_type>;
  NoGrad const no_grad;
  (void)checked_tokens(tokens, model.config().vocabulary, "token_embeddings");
  State const* const state = model.enabled() ? &model.state() : nullptr;
  return Access(*model.base()).embed({Site::token_embedding}, {tokens.begin(), tokens.end()}, state).value();
}

}  // namespace graft
