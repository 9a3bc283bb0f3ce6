/// @file
/// @brief The kernel adamw on a GPU.
#pragma once

#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/generic/adamw.hpp>
