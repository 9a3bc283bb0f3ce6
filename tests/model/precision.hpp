// A model over bfloat16 activations beside the same model over float32.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/none.hpp>
#include <graft/generate/generate.hpp>
#include <graft/generate/greedy.hpp>
#include <graft/optim/adamw.hpp>

#include "small_model.hpp"

namespace precision {

using graft::Index;

/// bfloat16 has 8 significant bits: a rounding changes a number by at most this share of it.
inline constexpr double unit = 0x1p-8;

/// The roundings on the way through the model: of every layer at most the norms (2), projections (2, with rotary 3),
/// attention, its output, the feed-forward's products and activation (3), the sums (2); with cross-attention 6 more; of
/// the ends the embeddings and sums (4) and the last norm.
template <class A>
double roundings(graft::ModelConfig const& config) {
  double const layers =
      static_cast<double>(config.layers) + (config.encoder ? static_cast<double>(config.encoder->layers) : 0.0);
  return layers * (A::stacks == graft::StackKind::encoder_decoder ? 18 : 12) + 5;
}

/// Random weights that amplify roundings less than `small::base`'s.
template <class A>
graft::Base<A, float> base() {
  return small::base<A, float>(3, small::config<A>(), 0.2);
}
/// The same weights, each moved by a random share of at most a rounding. What that does to a model's results in float32
/// says how far they amplify roundings.
template <class A>
graft::Base<A, float> nudged(graft::Base<A, float> const& base, std::uint64_t seed) {
  auto result = std::make_shared<graft::Pretrained<A, float>>(*base);
  for (auto const& site : base->info().sites) {
    auto& matrix = result->mutable_at(site.address).matrix;
    if (site.tied || matrix.empty()) continue;
    auto values = matrix.dense();
    auto const noise = graft::uniform<float>(values.shape(), graft::RandomKey(seed).with(site.name), -unit, unit);
    for (Index i = 0; i < values.size(); ++i) values.data()[i] *= 1 + noise.data()[i];
    matrix = {values, matrix.layout()};
  }
  return result;
}

/// max|got − expected| / max(|expected|, floor)
template <class Scalar>
double relative(graft::Tensor<Scalar> const& got, graft::Tensor<Scalar> const& expected, double floor = 0) {
  double worst = 0, largest = floor;
  for (Index i = 0; i < expected.size(); ++i) {
    double const error = std::abs(static_cast<double>(got.data()[i]) - static_cast<double>(expected.data()[i]));
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
    largest = std::max(largest, std::abs(static_cast<double>(expected.data()[i])));
  }
  return worst / largest;
}
inline double largest_of(graft::Tensor<float> const& x) {
  double largest = 0;
  for (Index i = 0; i < x.size(); ++i) largest = std::max(largest, static_cast<double>(std::abs(x.data()[i])));
  return largest;
}
template <class Scalar>
bool same_bits(graft::Tensor<Scalar> const& a, graft::Tensor<Scalar> const& b) {
  return a.shape() == b.shape() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

/// Rows of various lengths; of a classifier one label each.
template <class Model>
graft::Batch batch_for(Model const& model) {
  auto examples = small::examples();
  graft::Token label = 0;
  if (Model::classifies)
    for (auto& example : examples) example.target = {label++ % 3};
  return model.pack(examples);
}
template <class Model>
graft::Tensor<float> logits(Model const& model, graft::Batch const& batch) {
  graft::NoGrad const no_grad;
  return graft::clone(model.logits(Model::classifies ? batch : small::every_token(batch)).value());
}

/// Copies of the gradients of one step, cleared.
template <class Model>
std::vector<graft::Tensor<float>> gradients(Model& model, graft::Batch const& batch) {
  graft::backward(small::loss(model, batch));
  std::vector<graft::Tensor<float>> all;
  for (auto* parameter : model.parameters()) {
    all.push_back(parameter->has_gradient() ? graft::clone(parameter->gradient())
                                            : graft::zeros<float>(parameter->value().shape()));
    parameter->clear_gradient();
  }
  return all;
}

/// ‖got − expected‖ / ‖expected‖ over all of them.
inline double distance(std::vector<graft::Tensor<float>> const& got,
                       std::vector<graft::Tensor<float>> const& expected) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (Index k = 0; k < expected[i].size(); ++k) {
      auto const wanted = static_cast<double>(expected[i].data()[k]),
                 error = static_cast<double>(got[i].data()[k]) - wanted;
      difference += error * error, size += wanted * wanted;
    }
  return std::sqrt(difference / size);
}

/// The loss of every step of a training.
template <class Model>
std::vector<double> losses(Model& model, graft::Batch batch, int steps, double rate) {
  graft::AdamW<float> optimizer(model.parameters(), {.weight_decay = 0});
  std::vector<double> all;
  batch.rows.training = true;
  for (int step = 0; step < steps; ++step) {
    batch.rows.step = static_cast<std::uint64_t>(step);
    auto const loss = small::loss(model, batch);
    all.push_back(static_cast<double>(loss.value().data()[0]));
    graft::backward(loss);
    optimizer.step(rate);
    optimizer.clear_gradients();
  }
  return all;
}

/// Logits and gradients as near to float32's as roundings let them be: independent ones add up as their root does, and
/// a model that amplifies a nudge of its weights amplifies them, too. Recomputation changes nothing; training takes the
/// same way.
template <class A, class Settings>
void expect_as_in_float32(std::string const& what, Settings const& settings,
                          graft::Base<A, float> const& base = precision::base<A>(), double rate = 3e-3) {
  SCOPED_TRACE(std::string(A::model_type) + ", " + what);
  auto wide = graft::adapt(base, settings, 5);
  small::disturb(wide, 0.1);
  auto narrow = graft::with_precision<graft::Bfloat16>(wide);
  using Narrow = decltype(narrow);
  static_assert(std::is_same_v<typename Narrow::activation_type, graft::bfloat16> &&
                std::is_same_v<typename Narrow::scalar_type, float>);
  static_assert(std::is_same_v<decltype(narrow.hidden_states(graft::Batch())), graft::Variable<graft::bfloat16>>);
  auto const batch = batch_for(wide);
  double const there = std::sqrt(roundings<A>(wide.config())) * unit, there_and_back = std::sqrt(2.0) * there;
  auto const expected = logits(wide, batch), got = logits(narrow, batch);
  EXPECT_FALSE(same_bits(got, expected)) << "nothing was rounded";

  auto const wanted = gradients(wide, batch), found = gradients(narrow, batch);
  double moved = 0, turned = 0;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    auto other = graft::adapt(nudged<A>(base, seed), settings, 5);
    small::disturb(other, 0.1);
    moved = std::max(moved, relative(logits(other, batch), expected));
    turned = std::max(turned, distance(gradients(other, batch), wanted));
  }
  EXPECT_LE(relative(got, expected), std::max(there, 2 * moved)) << "a nudge moves logits by " << moved;
  EXPECT_LE(distance(found, wanted), std::max(there_and_back, 2 * turned)) << "a nudge moves gradients by " << turned;
  EXPECT_LE(turned, 0.2) << "a case that says nothing";
  auto again = batch;
  again.rows.recompute = true;
  auto const recomputed = gradients(narrow, again);
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_TRUE(same_bits(recomputed[i], found[i])) << "recomputed: parameter " << i;

  auto trained = graft::adapt(base, settings, 5);
  auto trained_narrow = graft::adapt<graft::Bfloat16>(base, settings, 5);
  auto const reference = losses(trained, batch, 20, rate), way = losses(trained_narrow, batch, 20, rate);
  double const fall = reference.front() - reference.back();
  EXPECT_GT(fall, 0);
  EXPECT_NEAR(way.front() - way.back(), fall, 0.1 * fall) << "what 20 steps gain";
  for (std::size_t k = 0; k < way.size(); ++k) EXPECT_NEAR(way[k], reference[k], 0.05 * reference[k]) << "step " << k;
}

/// Greedy search writes tokens whose logits, in float32, are the greatest but for the roundings.
template <class A, class Settings>
void expect_generation_as_in_float32(Settings const& settings) {
  SCOPED_TRACE(A::model_type);
  auto wide = graft::adapt(precision::base<A>(), settings, 5);
  small::disturb(wide, 0.1);
  auto narrow = graft::with_precision<graft::Bfloat16>(wide);
  std::vector<std::vector<graft::Token>> const prompts{{3, 14, 15, 9, 2}, {6, 5}, {8, 9, 7, 9, 3, 2, 3, 8}};
  auto const texts = graft::generate(narrow, prompts, graft::Greedy{.max_new_tokens = 6});
  ASSERT_EQ(texts.size(), prompts.size());
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    auto const& tokens = texts[p].at(0).tokens;
    ASSERT_EQ(tokens.size(), 6U);
    graft::Batch batch;
    wide.append(batch, {.source = prompts[p], .target = tokens, .id = p});
    graft::NoGrad const no_grad;
    auto const z = wide.logits(batch).value();
    ASSERT_EQ(z.rows(), 6);
    double const allowed =
        4 * std::sqrt(roundings<A>(wide.config())) * unit * largest_of(z);  // twice that of either logit
    for (Index i = 0; i < z.rows(); ++i) {
      auto const best = static_cast<double>(*std::max_element(z.row(i), z.row(i) + z.width()));
      EXPECT_GE(static_cast<double>(z.row(i)[tokens[static_cast<std::size_t>(i)]]), best - allowed)
          << "prompt " << p << ", token " << i;
    }
  }
}

}  // namespace precision
