// Examples that share what they have in common: losses and gradients are those of rows of their own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "small_model.hpp"
#include "support/worst.hpp"

namespace sharing {

using graft::Batch;
using graft::Index;
using graft::TokenizedExample;
using Tokens = std::vector<graft::Token>;

inline Tokens random_tokens(Index count, std::uint64_t seed) {
  Tokens tokens;
  for (Index i = 0; i < count; ++i)
    tokens.push_back(static_cast<graft::Token>(3 + graft::RandomKey(seed).below(static_cast<std::uint64_t>(i), 20)));
  return tokens;
}
inline Tokens joined(Tokens a, Tokens const& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// Four references of one source, two of another that begins like it, one of a third that does, one of one token, one
/// that is like no other; mixed.
inline std::vector<TokenizedExample> references() {
  Tokens const beginning = random_tokens(9, 1), first = joined(beginning, random_tokens(6, 2)),
               second = joined(beginning, random_tokens(4, 3)), third = joined(beginning, random_tokens(1, 4));
  std::vector<TokenizedExample> examples;
  auto const add = [&](Tokens const& source, Index target) {
    auto const number = examples.size();
    examples.push_back({source, random_tokens(target, 50 + number), number + 7});
  };
  add(first, 3), add(second, 1), add({5}, 4), add(first, 6), add(first, 1), add(random_tokens(5, 9), 2), add(third, 3);
  add(second, 5), add(first, 2);
  return examples;
}

struct Pass {
  double loss;
  std::vector<std::pair<std::string, graft::Tensor<double>>> gradients;
};
template <class Model>
Pass pass(Model& model, Batch batch, bool recompute = false) {
  batch.rows.training = true, batch.rows.step = 2, batch.rows.recompute = recompute;
  auto const loss = small::loss(model, batch);
  Pass result{*loss.value().data(), {}};
  if (model.parameters().empty()) return result;
  graft::backward(loss);
  for (auto* parameter : model.parameters()) {
    if (!parameter->has_gradient()) continue;
    result.gradients.emplace_back(parameter->name(), graft::clone(parameter->gradient()));
    parameter->clear_gradient();
  }
  return result;
}
inline void expect_same(Pass const& got, Pass const& expected, std::string const& name) {
  EXPECT_NEAR(got.loss, expected.loss, 1e-12) << name;
  ASSERT_EQ(got.gradients.size(), expected.gradients.size()) << name;
  double largest = 0;  // key biases of BART have a gradient of rounding alone
  for (auto const& [parameter, gradient] : expected.gradients)
    for (Index k = 0; k < gradient.size(); ++k) largest = std::max(largest, std::abs(gradient.data()[k]));
  for (std::size_t i = 0; i < expected.gradients.size(); ++i) {
    auto const& [parameter, right] = expected.gradients[i];
    auto const& [other, found] = got.gradients[i];
    ASSERT_EQ(other, parameter) << name;
    double worst = 0;
    for (Index k = 0; k < right.size(); ++k)
      worst = graft::testing::worse(worst, std::abs(found.data()[k] - right.data()[k]));
    EXPECT_LE(worst, 1e-12 * largest) << name << ", " << parameter;
  }
}
template <class Model>
void changes_nothing(Model& model, std::string const& name,
                     std::vector<TokenizedExample> const& examples = references()) {
  Batch const apart = model.pack(examples), shared = model.pack_shared(examples);
  EXPECT_LT(shared.rows.tokens() + shared.source.tokens(), apart.rows.tokens() + apart.source.tokens()) << name;
  EXPECT_EQ(shared.rows.targets.labels, apart.rows.targets.labels) << name;
  auto const expected = pass(model, apart);
  expect_same(pass(model, shared), expected, name);
  expect_same(pass(model, shared, true), expected, name + ", recomputed");
}

/// What a training and its model came to: losses of steps and validations, then all parameters.
template <class Report, class Model>
std::vector<double> numbers_of(Report const& report, Model& model) {
  std::vector<double> numbers;
  for (auto const& step : report.steps) numbers.push_back(step.loss);
  for (auto const& validation : report.validations) numbers.push_back(validation.loss);
  for (auto const* parameter : model.parameters())
    numbers.insert(numbers.end(), parameter->value().data(), parameter->value().data() + parameter->value().size());
  return numbers;
}

}  // namespace sharing
