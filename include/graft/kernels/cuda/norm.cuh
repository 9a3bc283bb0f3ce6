/// @file
/// @brief The kernel norm on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/row_team.cuh>
#include <graft/kernels/generic/norm.hpp>
