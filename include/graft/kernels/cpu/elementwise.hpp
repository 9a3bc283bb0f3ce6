/// @file
/// @brief The kernel elementwise on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/elementwise.hpp>
