/// @file
/// @brief The examples that all rows are trained and tested on.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <graft/data/example.hpp>

#include "settings.hpp"

namespace compare {

/// A text, and the second one that it is read with.
using TextPair = std::pair<std::string, std::string>;

/// A part of the test with metrics of its own.
struct TestSet {
  std::string name;                      ///< "test" where there is but one
  std::string file;                      ///< where the examples come from, for messages
  std::vector<graft::Example> examples;  ///< with references
};

/// No source of `validation` or of a test set occurs in `training`.
struct Examples {
  std::vector<graft::Example> training;    ///< one target each
  std::vector<graft::Example> validation;  ///< one target each
  std::vector<TestSet> tests;
  std::string description;
  std::size_t left_out = 0;  ///< rows of the data whose source a file for validation or test has, too
  std::unordered_map<std::string, TextPair> pairs{};  ///< of a classifier: the texts behind sources that join two
  std::vector<std::string> classes{};  ///< of a classifier: the task's, in the order of their numbers; else none

  /// Examples of all test sets.
  [[nodiscard]] std::size_t tested() const;
};

/// The same examples for the same task: `task.split_seed` decides what is held out and what is taken, and nothing else
/// does.
/// @param classes whether the model is a classifier: the targets are then the classes' names
/// @throws FileError for malformed files, ConfigError if there are too few different sources
Examples make_examples(Task const& task, bool classes);

}  // namespace compare
