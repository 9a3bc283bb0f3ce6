/// @file
/// @brief The kernel widen on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/widen.hpp>
