/// @file
/// @brief Starts this program again as a worker and waits for it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace compare {

/// Runs the program that is running now with these arguments; its standard output goes to standard error. Returns an
/// empty text when it ended with status 0, else a sentence on how it ended. The worker ends when this process does.
std::string run_self(std::vector<std::string> const& arguments);

}  // namespace compare
