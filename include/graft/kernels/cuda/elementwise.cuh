/// @file
/// @brief The kernel elementwise on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/elementwise.hpp>
