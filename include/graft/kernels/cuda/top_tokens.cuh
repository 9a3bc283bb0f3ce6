/// @file
/// @brief The kernel top_tokens on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/row_team.cuh>
#include <graft/kernels/generic/top_tokens.hpp>
