/// @file
/// @brief What tells whether finished work is still valid.
#pragma once

#include <filesystem>

#include "settings.hpp"

namespace compare {

/// What the files of a task hold: sizes and checksums of the model's, the data's, and this very program's.
Json files_of(Task const& task);

/// All that decides the numbers of a request: the request itself (strategy, learning rate, seed, split and budget), and
/// `files_of` its task.
Json stamp_of(Request const& request);

}  // namespace compare
