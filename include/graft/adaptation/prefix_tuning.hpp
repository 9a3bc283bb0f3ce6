/// @file
/// @brief Prefix-tuning (Li & Liang 2021): virtual keys and values before the first token of every attention layer.
#pragma once

#include <graft/adaptation/virtual_keys.hpp>

namespace graft {

/// Attention of layer l over [P_K; K] and [P_V; V], with P `[P, 2·L·D]` trained and the model frozen. Real tokens'
/// positions start at P.
using PrefixTuning = VirtualKeys<Place::front>;

}  // namespace graft
