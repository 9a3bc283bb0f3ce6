/// @file
/// @brief The kernel bias on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/bias.hpp>
