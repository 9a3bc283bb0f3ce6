/// @file
/// @brief The kernel arithmetic on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/arithmetic.hpp>
