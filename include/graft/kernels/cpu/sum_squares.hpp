/// @file
/// @brief The kernel sum_squares on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/sum_squares.hpp>
