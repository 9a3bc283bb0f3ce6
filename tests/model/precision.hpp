// A model over bfloat16 activations beside the same model over float32.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstdio>
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

/// The roundings on the way through the model: of every layer at most the norms (2), projections (2, with rotary 3), attention, its
/// output, the feed-forward's products and activation (4), the sums (2); with cross-attention 6 more; of the ends the embeddings and sums
/// (4) and the last norm.
template <class A>
double roundings(graft::ModelConfig const& config) {
  double const layers = static_cast<double>(config.layers) + (config.encoder ? static_cast<double>(config.encoder->layers) : 0.0);
  return layers * (A::stacks == graft::StackKind::encoder_decoder ? 18 : 12) + 5;
}
/// Independent roundings add up as their root does. The small models' random weights make an error twice as large as it came.
template <class A>
double tolerance(graft::ModelConfig const& config) {
  return 2 * std::sqrt(roundings<A>(config)) * unit;
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
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) == 0;
}

template <class Model>
graft::Tensor<float> logits(Model& model, graft::Batch const& batch) {
  graft::NoGrad const no_grad;
  return graft::clone(model.logits(Model::classifies ? batch : small::every_token(batch)).value());
}

/// Copies of the gradients of one step, cleared.
template <class Model>
std::vector<graft::Tensor<float>> gradients(Model& model, graft::Batch const& batch) {
  graft::backward(small::loss(model, batch));
  std::vector<graft::Tensor<float>> all;
  for (auto* parameter : model.parameters()) {
    all.push_back(parameter->has_gradient() ? graft::clone(parameter->gradient()) : graft::zeros<float>(parameter->value().shape()));
    parameter->clear_gradient();
  }
  return all;
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

/// Logits and gradients within the roundings of the activations; recomputation changes nothing; training takes the same way.
template <class A, class Settings>
void expect_as_in_float32(Settings const& settings, graft::Base<A, float> const& base = small::base<A, float>(), double rate = 3e-3) {
  SCOPED_TRACE(std::string(A::model_type) + ", " + Settings::name);
  auto wide = graft::adapt(base, settings, 5);
  small::disturb(wide);
  auto narrow = graft::with_precision<graft::Bfloat16>(wide);
  using Narrow = decltype(narrow);
  static_assert(std::is_same_v<typename Narrow::activation_type, graft::bfloat16> && std::is_same_v<typename Narrow::scalar_type, float>);
  auto const batch = wide.pack(small::examples());
  {
    graft::NoGrad const no_grad;
    graft::Variable<graft::bfloat16> const states = narrow.hidden_states(batch);
    EXPECT_FALSE(states.empty());
  }
  auto const expected = logits(wide, batch), got = logits(narrow, batch);
  EXPECT_LE(relative(got, expected), tolerance<A>(wide.config()));
  EXPECT_FALSE(same_bits(got, expected)) << "nothing was rounded";

  auto const wanted = gradients(wide, batch), found = gradients(narrow, batch);
  double floor = 0;
  for (auto const& gradient : wanted) floor = std::max(floor, largest_of(gradient));
  if (std::getenv("PREC_DEBUG")) {
    double d2 = 0, n2 = 0, worst = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      worst = std::max(worst, relative(found[i], wanted[i], floor));
      for (Index k = 0; k < wanted[i].size(); ++k) {
        double const w = static_cast<double>(wanted[i].data()[k]), f = static_cast<double>(found[i].data()[k]);
        d2 += (w - f) * (w - f), n2 += w * w;
      }
    }
    std::printf("%s logits %.4f grad L2 %.4f max/floor %.4f tol %.4f\n", Settings::name, relative(got, expected), std::sqrt(d2 / n2), worst, tolerance<A>(wide.config()));
  }
  ASSERT_EQ(found.size(), wanted.size());
  auto const parameters = wide.parameters();
  for (std::size_t i = 0; i < wanted.size(); ++i)  // there and back: as many roundings again
    EXPECT_LE(relative(found[i], wanted[i], 0.1 * floor), std::sqrt(2.0) * tolerance<A>(wide.config())) << parameters[i]->name();
  auto again = batch;
  again.rows.recompute = true;
  auto const recomputed = gradients(narrow, again);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(same_bits(recomputed[i], found[i])) << "recomputed: " << parameters[i]->name();

  auto trained = graft::adapt(base, settings, 5);
  auto trained_narrow = graft::adapt<graft::Bfloat16>(base, settings, 5);
  auto const reference = losses(trained, batch, 20, rate), way = losses(trained_narrow, batch, 20, rate);
  if (std::getenv("PREC_DEBUG"))
    for (std::size_t k = 0; k < way.size(); ++k) std::printf("%zu %.4f %.4f\n", k, reference[k], way[k]);
  EXPECT_LT(way.back(), way.front());
  for (std::size_t k = 0; k < way.size(); ++k) EXPECT_NEAR(way[k], reference[k], tolerance<A>(wide.config()) * reference[0]) << "step " << k;
  double const fall = reference.front() - reference.back();
  EXPECT_NEAR(way.front() - way.back(), fall, 0.1 * fall) << "what 20 steps gain";
}

/// Greedy search writes tokens whose logits, in float32, are the greatest but for the roundings.
template <class A, class Settings>
void expect_generation_as_in_float32(Settings const& settings) {
  SCOPED_TRACE(std::string(A::model_type) + ", " + Settings::name);
  auto wide = graft::adapt(small::base<A, float>(), settings, 5);
  small::disturb(wide);
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
    double const allowed = 2 * tolerance<A>(wide.config()) * largest_of(z);
    for (Index i = 0; i < z.rows(); ++i) {
      auto const best = static_cast<double>(*std::max_element(z.row(i), z.row(i) + z.width()));
      EXPECT_GE(static_cast<double>(z.row(i)[tokens[static_cast<std::size_t>(i)]]), best - allowed) << "prompt " << p << ", token " << i;
    }
  }
}

}  // namespace precision
