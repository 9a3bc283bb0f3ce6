/// @file
/// @brief The kernel bias on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/bias.hpp>
