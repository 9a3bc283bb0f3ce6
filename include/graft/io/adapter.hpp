/// @file
/// @brief Adapter folders in both directions: `save_adapter`, `load_adapter`, `adapter_kind`, `read_adapter_settings`.
#pragma once

#include <graft/io/load_adapter.hpp>
#include <graft/io/save_adapter.hpp>
