// Tiny models with random weights and randomly trained adaptations, in double.
#pragma once

#include <memory>
#include <utility>

#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

namespace graft::testing {

inline constexpr Index tiny_vocabulary = 23;

template <class A>
[[nodiscard]] ModelConfig tiny_config() {
  ModelConfig config;
  config.architecture = A::model_type;
  config.vocabulary = tiny_vocabulary;
  config.width = 16;
  config.layers = 3;
  config.heads = 4;
  config.kv_heads = A::fused_attention ? 4 : 2;
  config.head_dim = 4;
  config.inner = 24;
  config.positions = 96;
  config.activation = A::fused_attention ? Activation::gelu_tanh : Activation::silu;
  config.tied_head = A::fused_attention;
  for (Index i = 0; i < config.head_dim / 2; ++i)
    config.inverse_frequency.push_back(
        std::pow(100.0, -2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim)));
  return config;
}

template <Architecture A>
[[nodiscard]] Base<A, double> random_base(std::uint64_t seed = 1) {
  auto base = std::make_shared<Pretrained<A, double>>(tiny_config<A>());
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto const key = RandomKey(seed).with(site.name);
    auto& weights = base->mutable_at(site.address);
    if (site.role == Role::norm) {
      weights.gain = uniform<double>(Shape{site.out}, key.with("gain"), 0.7, 1.4);
    } else {
      bool const turned = site.layout == Layout::in_out;
      weights.matrix = FrozenMatrix<double>(
          normal<double>(turned ? Shape{site.in, site.out} : Shape{site.out, site.in}, key, 0.4), site.layout);
    }
    if (site.bias) weights.bias = normal<double>(Shape{site.out}, key.with("bias"), 0.2);
  }
  return base;
}

/// As after training: no parameter at its special start.
template <class Model>
void disturb(Model& model, std::uint64_t seed = 2, double deviation = 0.3) {
  std::uint64_t number = 0;
  for (auto* parameter : model.parameters()) {
    auto value = parameter->mutable_value();
    auto const noise = normal<double>(value.shape(), RandomKey(seed).with(number++), deviation);
    for (Index i = 0; i < value.size(); ++i) value.data()[i] += noise.data()[i];
  }
}

template <Architecture A, class Adaptation>
[[nodiscard]] auto random_model(Adaptation const& settings, std::uint64_t seed = 1) {
  auto model = adapt(random_base<A>(seed), settings, seed);
  disturb(model);
  return model;
}

}  // namespace graft::testing
