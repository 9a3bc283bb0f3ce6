/// @file
/// @brief Attention over segments on the host.
#pragma once

#include <graft/kernels/attention.hpp>
#include <graft/kernels/cpu/attention_backward.hpp>
#include <graft/kernels/cpu/attention_forward.hpp>
