/// @file
/// @brief The kernel adamw on the host.
#pragma once

#include <graft/kernels/cpu/loops.hpp>
#include <graft/kernels/generic/adamw.hpp>
