/// @file
/// @brief The kernel arithmetic on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/arithmetic.hpp>
