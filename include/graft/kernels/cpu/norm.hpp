/// @file
/// @brief The kernel norm on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/cpu/row_team.hpp>
#include <graft/kernels/generic/norm.hpp>
