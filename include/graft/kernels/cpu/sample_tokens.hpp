/// @file
/// @brief The kernel sample_tokens on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/cpu/row_team.hpp>
#include <graft/kernels/generic/sample_tokens.hpp>
