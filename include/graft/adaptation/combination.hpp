/// @file
/// @brief How several adapters become one.
#pragma once

#include <optional>

#include <graft/core/types.hpp>

namespace graft {

/// How a weighted sum of LoRA's changes Σ wᵢ·sᵢ·Bᵢ·Aᵢ becomes one product B·A; s is an adapter's scale.
enum class Combination {
  svd,     ///< the nearest product of a given rank: the sum's largest singular values
  linear,  ///< A = Σ ±√|wᵢ·sᵢ|·Aᵢ, B = Σ √|wᵢ·sᵢ|·Bᵢ, the sign on one side: a rough approximation, since their product
           ///< has terms Bᵢ·Aⱼ too
  cat,     ///< all matrices side by side: the sum itself, its rank the sum of the ranks
};

/// What `combine` is told.
struct CombineSettings {
  std::optional<Combination> combination = std::nullopt;  ///< if not given, svd of LoRA and linear of (IA)³
  Index rank = 0;                                         ///< of svd; 0 for the largest of the adapters' ranks
};

}  // namespace graft
