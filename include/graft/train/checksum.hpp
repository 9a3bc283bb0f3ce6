/// @file
/// @brief The checksum of checkpoints; it lies in core, where models' weights use it too.
#pragma once

#include <graft/core/checksum.hpp>
