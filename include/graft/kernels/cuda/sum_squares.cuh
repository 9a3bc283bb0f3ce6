/// @file
/// @brief The kernel sum_squares on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/sum_squares.hpp>
