/// @file
/// @brief The kernel cast on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/cast.hpp>
