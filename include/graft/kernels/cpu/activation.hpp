/// @file
/// @brief The kernel activation on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/activation.hpp>
