/// @file
/// @brief The kernel sum on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/sum.hpp>
