/// @file
/// @brief The kernel top_tokens on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/cpu/row_team.hpp>
#include <graft/kernels/generic/top_tokens.hpp>
