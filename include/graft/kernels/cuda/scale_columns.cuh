/// @file
/// @brief The kernel scale_columns on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/scale_columns.hpp>
