/// @file
/// @brief A value in which two configurations differ.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace graft {

/// A value that differs between two configurations.
struct ConfiguredDifference {
  std::string name;           ///< `norm_epsilon`, `rotary_frequencies[1]`, …
  nlohmann::json got, other;  ///< of the first and of the second
};

}  // namespace graft
