/// @file
/// @brief F1 of predicted classes: the score of MRPC, QQP and CB beside accuracy.
#pragma once

#include <algorithm>
#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <set>
#include <vector>

namespace graft {

/// F1 of one class, 0 to 1: 2 · right / (predicted + expected), where right are the examples of `positive` that are
/// predicted to be. It is 0 where the class is neither predicted nor expected.
/// @throws ShapeError for lists of different lengths, or without entries
[[nodiscard]] inline double f1_score(std::vector<Token> const& predicted, std::vector<Token> const& expected,
                                     Token positive = 1) {
  if (predicted.size() != expected.size() || predicted.empty())
    fail<ShapeError>("[f1_score] got ", predicted.size(), " predictions for ", expected.size(),
                     " examples; expected as many, and at least one");
  std::size_t right = 0, all = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    right += predicted[i] == positive && expected[i] == positive;
    all += static_cast<std::size_t>(predicted[i] == positive) + static_cast<std::size_t>(expected[i] == positive);
  }
  return all > 0 ? 2 * static_cast<double>(right) / static_cast<double>(all) : 0.0;
}

/// The mean of the F1 of all classes that are predicted or expected, 0 to 1 (CB's score).
/// @throws ShapeError as `f1_score`
[[nodiscard]] inline double macro_f1(std::vector<Token> const& predicted, std::vector<Token> const& expected) {
  std::set<Token> classes(predicted.begin(), predicted.end());
  classes.insert(expected.begin(), expected.end());
  double sum = 0;
  for (Token const one : classes) sum += f1_score(predicted, expected, one);
  return classes.empty() ? f1_score(predicted, expected) : sum / static_cast<double>(classes.size());
}

}  // namespace graft
