/// @file
/// @brief The kernel sample_tokens on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/row_team.cuh>
#include <graft/kernels/generic/sample_tokens.hpp>
