/// @file
/// @brief The kernel widen on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/widen.hpp>
