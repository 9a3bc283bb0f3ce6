// What holds for every strategy on every architecture, as checks that take a strategy.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include <graft/adaptation/none.hpp>
#include <graft/optim/adamw.hpp>

#include "sharing.hpp"
#include "support/worst.hpp"

namespace invariants {

using graft::Index;

/// Bit for bit, so that −0 and 0 differ and NaN equals itself.
template <class Scalar>
[[nodiscard]] bool same_bits(graft::Tensor<Scalar> const& a, graft::Tensor<Scalar> const& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

/// Copies of all the base's tensors.
template <class Base>
[[nodiscard]] auto snapshot(Base const& base) {
  std::vector<graft::Tensor<typename Base::element_type::scalar_type>> tensors;
  for (auto const& site : base->info().sites)
    for (auto part : {graft::Part::weight, graft::Part::bias})
      if (auto tensor = graft::copy_weight(*base, site.address, part); !tensor.empty())
        tensors.push_back(std::move(tensor));
  return tensors;
}

template <class Model>
[[nodiscard]] auto values_of(Model& model) {
  std::map<std::string, graft::Tensor<typename Model::scalar_type>> values;
  for (auto* parameter : model.parameters()) values.emplace(parameter->name(), graft::clone(parameter->value()));
  return values;
}

template <class Model>
[[nodiscard]] auto logits_of(Model& model, graft::Batch const& batch) {
  graft::NoGrad no_grad;
  return graft::clone(model.logits(small::every_token(batch)).value());
}

/// Whether a gradient can reach an element: embeddings of tokens and positions that do not occur have none, and key
/// biases leave every softmax as it is.
inline bool can_move(std::string const& name, Index element, graft::ModelConfig const& config,
                     graft::Batch const& batch) {
  Index const row = element / config.width;
  if (name.ends_with("wpe.weight"))
    return row <= *std::max_element(batch.rows.positions.begin(), batch.rows.positions.end());
  if (name.ends_with("embed_tokens.weight") && !config.tied_head)
    return std::count(batch.tokens.begin(), batch.tokens.end(), row) > 0;
  if (name.ends_with("c_attn.bias")) return row != 1;
  return true;
}

/// Lifts the ReLUs of a prompt encoder, of which those that are 0 for all tokens would keep their weights.
template <class Model>
void lift_relus(Model& model) {
  for (auto* parameter : model.parameters()) {
    if (parameter->name().find("mlp_head.") == std::string::npos || !parameter->name().ends_with(".bias")) continue;
    auto value = parameter->mutable_value();
    for (Index i = 0; i < value.size(); ++i) value.data()[i] += 2;
  }
}

template <class Model>
void train(Model& model, graft::Batch batch, int steps) {
  graft::AdamW<typename Model::scalar_type> optimizer(model.parameters(), {.weight_decay = 0});
  batch.rows.training = true;
  for (int step = 0; step < steps; ++step) {
    batch.rows.step = static_cast<std::uint64_t>(step);
    graft::backward(small::loss(model, batch));
    for (auto* parameter : model.parameters()) EXPECT_TRUE(parameter->has_gradient()) << parameter->name();
    optimizer.step(1e-2);
    optimizer.clear_gradients();
  }
}

/// A step that computes layers again in its backward pass has the gradients of one that keeps everything, bit for bit,
/// dropout included.
template <class Model>
void recomputing_changes_nothing(Model& model, graft::Batch batch) {
  batch.rows.training = true, batch.rows.step = 3;
  auto const gradients = [&](bool recompute) {
    batch.rows.recompute = recompute;
    auto const loss = small::loss(model, batch);
    auto const recorded = graft::Tape::current().size();
    graft::backward(loss);
    std::map<std::string, graft::Tensor<typename Model::scalar_type>> all;
    for (auto* parameter : model.parameters())
      if (parameter->has_gradient())
        all.emplace(parameter->name(), graft::clone(parameter->gradient())), parameter->clear_gradient();
    return std::pair(recorded, std::move(all));
  };
  auto const [kept, expected] = gradients(false);
  auto const [fewer, got] = gradients(true);
  EXPECT_LE(fewer, kept);
  ASSERT_EQ(got.size(), expected.size());
  for (auto const& [name, gradient] : expected)
    EXPECT_TRUE(same_bits(got.at(name), gradient)) << "recomputed: " << name;
}

/// Trains a little: the base stays bitwise, all of the adapter moves, switching it off gives the base and on what was
/// trained.
template <graft::Architecture A, class Settings>
void training_changes_the_adapter_alone(Settings const& settings) {
  auto const base = small::base<A, double>();
  auto const before = snapshot(base);
  auto const batch = graft::pack(small::examples());
  auto plain = graft::adapt(base, graft::NoAdaptation{});
  auto const base_logits = logits_of(plain, batch);

  auto model = graft::adapt(base, settings, 5), twin = graft::adapt(base, settings, 5);
  lift_relus(model), lift_relus(twin);
  auto const start = values_of(model);
  train(model, batch, 4);
  for (auto* parameter : model.parameters()) {
    auto const& now = parameter->value();
    Index stuck = 0;
    for (Index i = 0; i < now.size(); ++i)
      stuck += can_move(parameter->name(), i, model.config(), batch) &&
               now.data()[i] == start.at(parameter->name()).data()[i];
    EXPECT_EQ(stuck, 0) << parameter->name() << ": elements that did not move, of " << now.size();
  }
  recomputing_changes_nothing(model, batch);
  sharing::changes_nothing(model, std::string(Settings::name));
  auto const after = snapshot(base);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(same_bits(before[i], after[i])) << "tensor " << i << " of the base";
  EXPECT_TRUE(same_bits(logits_of(plain, batch), base_logits));

  auto const trained = logits_of(model, batch);
  EXPECT_FALSE(same_bits(trained, base_logits));
  model.enable(false);
  EXPECT_TRUE(same_bits(logits_of(model, batch), base_logits)) << "disabled";
  EXPECT_FALSE(small::loss(model, batch).tracked()) << "a frozen base has no gradients";
  EXPECT_EQ(graft::Tape::current().size(), 0U);
  model.enable();
  EXPECT_TRUE(same_bits(logits_of(model, batch), trained)) << "enabled again";

  for (auto const& [name, value] : values_of(twin))
    EXPECT_TRUE(same_bits(value, start.at(name))) << "another adapter with the same seed: " << name;
}

/// The strategy starts as the identity.
template <graft::Architecture A, class Settings>
void starts_as_the_base(Settings const& settings) {
  auto const base = small::base<A, double>();
  auto plain = graft::adapt(base, graft::NoAdaptation{});
  auto model = graft::adapt(base, settings, 5);
  auto const batch = graft::pack(small::examples());
  EXPECT_TRUE(same_bits(logits_of(model, batch), logits_of(plain, batch)));
}

/// −log p of every target, by the example's id, in a training step.
template <class Model>
[[nodiscard]] std::map<std::uint64_t, std::vector<double>> training_scores(
    Model& model, std::vector<graft::TokenizedExample> const& examples, std::uint64_t step) {
  graft::NoGrad no_grad;
  auto batch = graft::pack(examples);
  batch.rows.training = true;
  batch.rows.step = step;
  auto const scores = model.scores(batch).log_probability.value();
  std::map<std::uint64_t, std::vector<double>> result;
  Index target = 0;
  for (auto const& example : examples)
    for (std::size_t i = 0; i < example.target.size(); ++i) result[example.id].push_back(scores.data()[target++]);
  return result;
}

inline double distance(std::map<std::uint64_t, std::vector<double>> const& a,
                       std::map<std::uint64_t, std::vector<double>> const& b) {
  double worst = 0;
  for (auto const& [id, values] : a)
    for (std::size_t i = 0; i < values.size(); ++i)
      worst = graft::testing::worse(worst, std::abs(values[i] - b.at(id).at(i)));
  return worst;
}

/// The dropped elements depend on the step and the example, not on the order of the rows, and evaluation drops none.
template <graft::Architecture A, class Settings>
void dropout_is_addressed(Settings const& with, Settings const& without) {
  auto const base = small::base<A, double>();
  auto model = graft::adapt(base, with, 5), whole = graft::adapt(base, without, 5);
  small::disturb(model), small::disturb(whole);
  auto examples = small::examples();
  auto const scores = training_scores(model, examples, 3);
  EXPECT_EQ(distance(scores, training_scores(model, examples, 3)), 0);
  EXPECT_GT(distance(scores, training_scores(model, examples, 4)), 1e-3) << "another step";
  EXPECT_GT(distance(scores, training_scores(whole, examples, 3)), 1e-3) << "no dropout";
  EXPECT_TRUE(same_bits(logits_of(model, graft::pack(examples)), logits_of(whole, graft::pack(examples))))
      << "evaluation";
  std::reverse(examples.begin(), examples.end());
  EXPECT_LE(distance(scores, training_scores(model, examples, 3)), 1e-12) << "rows in another order";
}

}  // namespace invariants
