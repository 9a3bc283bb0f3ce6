/// @file
/// @brief Predicted classes, and how well they agree with the right ones.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <graft/autograd/tape.hpp>
#include <graft/models/row_limits.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

/// The most probable class of every example, the lowest among equals; `at_once` examples in a batch, which does not
/// change the result.
template <class Model>
[[nodiscard]] std::vector<Token> classify(Model& model, std::vector<TokenizedExample> const& examples,
                                          Index at_once = 32) {
  if constexpr (requires { RowLimits(model); }) {
    RowLimits const limits(model);
    for (std::size_t i = 0; i < examples.size(); ++i)
      if (auto const why = limits.excess(examples[i]))
        fail<ConfigError>("[classify] example ", i, " is too long for the model; ", *why, "; hint: shorten it");
      else if (auto const foreign = limits.foreign_token(examples[i]))
        fail<ConfigError>("[classify] example ", i, " ", *foreign);
  }
  NoGrad const no_grad;
  std::vector<Token> classes;
  for (std::size_t first = 0; first < examples.size(); first += static_cast<std::size_t>(at_once)) {
    Batch batch;
    for (std::size_t i = first; i < std::min(examples.size(), first + static_cast<std::size_t>(at_once)); ++i) {
      TokenizedExample example = examples[i];
      example.target = {0};  // a place for the prediction
      model.append(batch, example);
    }
    auto const logits = downloaded(model.logits(batch).value());  // [examples, labels]
    for (Index i = 0; i < logits.rows(); ++i)
      classes.push_back(
          static_cast<Token>(std::max_element(logits.row(i), logits.row(i) + logits.width()) - logits.row(i)));
  }
  return classes;
}

/// Share of equal entries, 0 to 1.
[[nodiscard]] inline double accuracy(std::vector<Token> const& predicted, std::vector<Token> const& expected) {
  if (predicted.size() != expected.size() || predicted.empty())
    fail<ShapeError>("[accuracy] got ", predicted.size(), " predictions for ", expected.size(),
                     " examples; expected as many, and at least one");
  std::size_t right = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == expected[i];
  return static_cast<double>(right) / static_cast<double>(predicted.size());
}

/// Matthews correlation of any number of classes (Gorodkin 2004), −1 to 1: CoLA's score; 0 where one side has a single
/// class.
[[nodiscard]] inline double matthews_correlation(std::vector<Token> const& predicted,
                                                 std::vector<Token> const& expected) {
  (void)accuracy(predicted, expected);  // checks
  Token const classes = 1 + std::max(*std::max_element(predicted.begin(), predicted.end()),
                                     *std::max_element(expected.begin(), expected.end()));
  std::vector<double> p(static_cast<std::size_t>(classes)), t(p.size());
  double right = 0;
  auto const n = static_cast<double>(predicted.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    right += predicted[i] == expected[i];
    ++p[static_cast<std::size_t>(predicted[i])];
    ++t[static_cast<std::size_t>(expected[i])];
  }
  double pt = 0, pp = 0, tt = 0;
  for (std::size_t k = 0; k < p.size(); ++k) pt += p[k] * t[k], pp += p[k] * p[k], tt += t[k] * t[k];
  double const spread = std::sqrt((n * n - pp) * (n * n - tt));
  return spread > 0 ? (right * n - pt) / spread : 0.0;
}

}  // namespace graft
