/// @file
/// @brief The kernel softmax on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/row_team.cuh>
#include <graft/kernels/generic/softmax.hpp>
