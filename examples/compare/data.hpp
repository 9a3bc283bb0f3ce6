/// @file
/// @brief The examples that all rows are trained and tested on.
#pragma once

#include <string>
#include <vector>

#include <graft/data/example.hpp>

#include "settings.hpp"

namespace compare {

/// No source of `validation` or `test` occurs in `training`.
struct Examples {
  std::vector<graft::Example> training;    ///< one target each
  std::vector<graft::Example> validation;  ///< one target each
  std::vector<graft::Example> test;        ///< with references
  std::size_t seen = 0;  ///< the first so many of `test` are of domains that training has; the others of none
  std::string description;
};

/// The same examples for the same task. @throws FileError for malformed files, ConfigError if there are too few
/// different sources
Examples make_examples(Task const& task);

}  // namespace compare
