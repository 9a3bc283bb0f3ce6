// A table of adapters beside models of their own that have the same parameters.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <graft/models/add_adapter.hpp>

#include "invariants.hpp"

namespace tables {

using graft::Index;

/// A model with one adapter, whichever its strategy.
template <class Scalar>
struct Alone {
  std::string name;
  std::function<graft::Tensor<Scalar>(graft::Batch const&)> logits;                  ///< at every token
  std::function<std::vector<graft::Tensor<Scalar>>(graft::Batch const&)> gradients;  ///< of Σ −log p
};

/// Σ −log p of all targets.
template <class Model>
[[nodiscard]] auto sum_of_losses(Model const& model, graft::Batch const& batch) {
  using Scalar = typename Model::scalar_type;
  return graft::weighted_sum(model.scores(batch).log_probability,
                             graft::full(graft::Shape{batch.rows.targets.size()}, Scalar(-1)));
}

template <graft::Architecture A, class Scalar>
struct Table {
  graft::Base<A, Scalar> base = small::base<A, Scalar>();
  graft::TableModel<A, Scalar> model = graft::adapt(base, graft::AdapterTable{});
  std::vector<Alone<Scalar>> alone;  ///< by number

  template <class Settings>
  graft::Transformer<A, Settings, Scalar> make(Settings const& settings, std::uint64_t seed) const {
    auto made = graft::adapt(base, settings, seed);
    small::disturb(made, 0.2, seed + 100);
    return made;
  }
  /// Adds an adapter, and a model of its own with the same numbers.
  template <class Settings>
  Index add(Settings const& settings) {
    auto const seed = static_cast<std::uint64_t>(alone.size());
    Index const number = graft::add_adapter(model, make(settings, seed));
    auto own = std::make_shared<graft::Transformer<A, Settings, Scalar>>(make(settings, seed));
    alone.push_back({graft::cat(number, " ", Settings::name),
                     [own](graft::Batch const& batch) { return invariants::logits_of(*own, batch); },
                     [own](graft::Batch const& batch) {
                       graft::backward(sum_of_losses(*own, batch));
                       std::vector<graft::Tensor<Scalar>> result;
                       for (auto* parameter : own->parameters()) {
                         result.push_back(parameter->has_gradient() ? graft::clone(parameter->gradient())
                                                                    : graft::zeros<Scalar>(parameter->value().shape()));
                         parameter->clear_gradient();
                       }
                       return result;
                     }});
    return number;
  }
  /// Gradients of the adapter's parameters in the table.
  [[nodiscard]] std::vector<graft::Tensor<Scalar>> gradients_of(Index number) {
    std::vector<graft::Tensor<Scalar>> result;
    for (auto* parameter : model.parameters())
      if (parameter->name().starts_with(graft::cat(number, ".")))
        result.push_back(parameter->has_gradient() ? graft::clone(parameter->gradient())
                                                   : graft::zeros<Scalar>(parameter->value().shape()));
    return result;
  }
  void clear_gradients() {
    for (auto* parameter : model.parameters()) parameter->clear_gradient();
  }
};

template <graft::Architecture A>
[[nodiscard]] graft::TokenizedExample example(std::uint64_t id, Index adapter, int source, int target) {
  graft::TokenizedExample example;
  graft::RandomKey const key(id + 40);
  for (int i = 0; i < source; ++i)
    example.source.push_back(static_cast<graft::Token>(3 + key.below(static_cast<std::uint64_t>(i), 28)));
  if (A::head == graft::HeadKind::classifier) {
    example.target = {static_cast<graft::Token>(id % 3)};
  } else {
    for (int i = 0; i < target; ++i)
      example.target.push_back(static_cast<graft::Token>(3 + key.below(static_cast<std::uint64_t>(100 + i), 28)));
  }
  example.id = id;
  example.adapter = adapter;
  return example;
}
/// A row for each of `count` adapters, mixed, of many lengths.
template <graft::Architecture A>
[[nodiscard]] std::vector<graft::TokenizedExample> a_row_each(Index count) {
  std::vector<graft::TokenizedExample> examples;
  for (Index r = 0; r < count; ++r)
    examples.push_back(example<A>(static_cast<std::uint64_t>(r), (7 * r + 3) % count, static_cast<int>(2 + (5 * r) % 9),
                                  static_cast<int>(1 + (3 * r) % 5)));
  return examples;
}

template <class Scalar>
[[nodiscard]] double relative_difference(graft::Tensor<Scalar> const& a, Scalar const* b) {
  double worst = 0, largest = 1e-30;
  for (Index i = 0; i < a.size(); ++i) {
    worst = graft::testing::worse(worst, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b[i])));
    largest = std::max(largest, std::abs(static_cast<double>(a.data()[i])));
  }
  return worst / largest;
}

/// Every row's logits and every adapter's gradient are those of a model with that adapter alone; adapters of no row get
/// none.
template <graft::Architecture A, class Scalar>
void check_against_alone(Table<A, Scalar>& table, std::vector<graft::TokenizedExample> const& examples, bool training,
                         bool recompute, double tolerance) {
  auto const packed = [&](std::vector<graft::TokenizedExample> const& some) {
    auto batch = table.model.pack(some);
    batch.rows.step = 5;
    batch.rows.training = training;
    batch.rows.recompute = recompute;
    return batch;
  };
  auto const batch = packed(examples);
  auto const logits = invariants::logits_of(table.model, batch);
  std::map<Index, std::vector<graft::TokenizedExample>> of_adapter;
  for (std::size_t r = 0; r < examples.size(); ++r) {
    of_adapter[examples[r].adapter].push_back(examples[r]);
    if (examples[r].adapter < 0) continue;
    auto const& own = table.alone[static_cast<std::size_t>(examples[r].adapter)];
    auto const expected = own.logits(packed({examples[r]}));
    EXPECT_LE(relative_difference(expected, logits.row(batch.rows.begin(static_cast<Index>(r)))), tolerance)
        << own.name << ", row " << r;
  }
  table.clear_gradients();
  graft::backward(sum_of_losses(table.model, batch));
  for (std::size_t n = 0; n < table.alone.size(); ++n) {
    auto const number = static_cast<Index>(n);
    auto const found = table.gradients_of(number);
    if (!of_adapter.contains(number)) {
      for (auto const& gradient : found)
        EXPECT_EQ(relative_difference(gradient, graft::zeros<Scalar>(gradient.shape()).data()), 0)
            << table.alone[n].name;
      continue;
    }
    auto const expected = table.alone[n].gradients(packed(of_adapter.at(number)));
    ASSERT_EQ(found.size(), expected.size());
    double largest = 0;  // of the adapter: single vectors may be sums that cancel
    for (auto const& gradient : expected)
      for (Index i = 0; i < gradient.size(); ++i)
        largest = std::max(largest, std::abs(static_cast<double>(gradient.data()[i])));
    EXPECT_GT(largest, 0) << table.alone[n].name;
    for (std::size_t p = 0; p < found.size(); ++p)
      for (Index i = 0; i < found[p].size(); ++i)
        ASSERT_LE(std::abs(static_cast<double>(found[p].data()[i]) - static_cast<double>(expected[p].data()[i])),
                  tolerance * largest)
            << table.alone[n].name << ", parameter " << p;
  }
  table.clear_gradients();
}

}  // namespace tables
