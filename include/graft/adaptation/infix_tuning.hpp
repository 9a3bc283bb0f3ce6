/// @file
/// @brief Infix-tuning (Li & Liang 2021, §7.2): virtual keys and values between source and target.
#pragma once

#include <graft/adaptation/virtual_keys.hpp>

namespace graft {

/// Like prefix tuning, but the virtual keys and values stand before the last source token (the separator): only it and
/// the target see them, so the source's states are the base model's, bit for bit, and the state that predicts the first
/// target token does see them. Tokens from there on have their position plus P.
using InfixTuning = VirtualKeys<Place::infix>;

}  // namespace graft
