// Small models with random weights, in either scalar, and batches for them.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <graft/models/adapt.hpp>
#include <graft/ops/rotary.hpp>
#include <graft/ops/sum.hpp>

namespace small {

using graft::Index;
using graft::Shape;
using graft::Token;

template <class A>
[[nodiscard]] graft::ModelConfig config() {
  constexpr bool gpt2 = A::fused_attention;
  graft::ModelConfig config;
  config.architecture = A::model_type;
  config.vocabulary = 31;
  config.width = 12;
  config.layers = 3;
  config.heads = 2;
  config.kv_heads = gpt2 ? 2 : 1;
  config.head_dim = 6;
  config.inner = 20;
  config.positions = 40;
  config.activation = gpt2 ? graft::Activation::gelu_tanh : graft::Activation::silu;
  config.tied_head = gpt2;
  config.inverse_frequency = graft::rotary_frequencies(config.head_dim, 50.0);
  if constexpr (A::stacks != graft::StackKind::decoder) {
    config.kv_heads = config.heads;
    config.head_dim =
        A::positions == graft::PositionKind::relative ? 4 : 6;  // of T5, heads · head_dim need not be the width
    config.attention_bias = config.attention_output_bias = config.feed_forward_bias = true;
    config.activation = graft::Activation::gelu;
    config.relative = {8, 9};
    config.position_offset = A::positions == graft::PositionKind::learned ? 2 : 0;
    config.token_types = config.labels = 3;
    config.tied_head = A::positions == graft::PositionKind::learned;
    config.decoder_start = 1;
  }
  if constexpr (A::stacks == graft::StackKind::encoder_decoder) {
    config.encoder = config.main();
    config.encoder->layers = 2;
    if (A::positions == graft::PositionKind::learned)
      config.encoder->heads = config.encoder->kv_heads = 3, config.encoder->head_dim = 4;
    config.encoder->inner = 16;
    config.embedding_scale = 1.7;
    config.head_scale = 0.8;
  }
  return config;
}

/// The same numbers for every scalar, up to rounding; `deviation` of the matrices.
template <graft::Architecture A, class Scalar>
[[nodiscard]] graft::Base<A, Scalar> base(std::uint64_t seed = 3, graft::ModelConfig const& dimensions = config<A>(),
                                          double deviation = 0.35) {
  auto base = std::make_shared<graft::Pretrained<A, Scalar>>(dimensions);
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto const key = graft::RandomKey(seed).with(site.name);
    auto& weights = base->mutable_at(site.address);
    bool const turned = site.layout == graft::Layout::in_out;
    if (site.role == graft::Role::buffer)
      weights.bias = graft::normal<Scalar>(Shape{site.weights()}, key, 0.3);
    else if (site.role == graft::Role::norm)
      weights.gain = graft::uniform<Scalar>(Shape{site.out}, key, 0.6, 1.5);
    else
      weights.matrix = {
          graft::normal<Scalar>(turned ? Shape{site.in, site.out} : Shape{site.out, site.in}, key, deviation),
          site.layout};
    if (site.bias) weights.bias = graft::normal<Scalar>(Shape{site.out}, key.with("bias"), 0.2);
  }
  return base;
}

/// As after some training: no parameter is at its special start.
template <class Model>
void disturb(Model& model, double deviation = 0.2, std::uint64_t seed = 8) {
  for (auto* parameter : model.parameters()) {
    auto value = parameter->mutable_value();
    auto const noise = graft::normal<double>(value.shape(), graft::RandomKey(seed).with(parameter->name()), deviation);
    for (Index i = 0; i < value.size(); ++i)
      value.data()[i] += static_cast<typename Model::scalar_type>(noise.data()[i]);
  }
}

/// Examples of varied lengths, a source of one token among them.
[[nodiscard]] inline std::vector<graft::TokenizedExample> examples(Token vocabulary = 31) {
  std::vector<graft::TokenizedExample> result;
  std::vector<std::pair<int, int>> const lengths{{4, 3}, {1, 5}, {9, 2}, {6, 1}, {2, 6}};
  for (std::size_t e = 0; e < lengths.size(); ++e) {
    graft::TokenizedExample example;
    auto const token = [&](int place) {
      return static_cast<Token>(
          graft::RandomKey(e).below(static_cast<std::uint64_t>(place), static_cast<std::uint64_t>(vocabulary)));
    };
    for (int i = 0; i < lengths[e].first; ++i) example.source.push_back(token(i));
    for (int i = 0; i < lengths[e].second; ++i) example.target.push_back(token(100 + i));
    example.id = e + 10;
    result.push_back(example);
  }
  return result;
}

/// The same rows with every token as a target, for logits; labels stay away.
[[nodiscard]] inline graft::Batch every_token(graft::Batch batch) {
  batch.rows.targets = {};
  for (Index i = 0; i < batch.rows.tokens(); ++i) batch.rows.targets.at.push_back(i);
  return batch;
}

/// Mean -log p over the batch's targets.
template <class Model>
[[nodiscard]] auto loss(Model& model, graft::Batch const& batch) {
  using Scalar = typename Model::scalar_type;
  Index const count = batch.rows.targets.size();
  return graft::weighted_sum(model.scores(batch).log_probability,
                             graft::full(Shape{count}, static_cast<Scalar>(-1.0 / static_cast<double>(count))));
}

}  // namespace small
