/// @file
/// @brief The kernel cast on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/cast.hpp>
