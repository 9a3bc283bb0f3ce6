/// @file
/// @brief The kernel scale_columns on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/scale_columns.hpp>
