/// @file
/// @brief The kernel sum on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/sum.hpp>
