/// @file
/// @brief The kernel adafactor on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/cpu/row_team.hpp>
#include <graft/kernels/generic/adafactor.hpp>
