/// @file
/// @brief The kernel activation on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/activation.hpp>
