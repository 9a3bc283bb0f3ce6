/// @file
/// @brief Bases of known models' shapes with random weights, for measurements without a checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/ops/rotary.hpp>
#include <graft/tensor/tensor.hpp>
#include <graft/weights/packed.hpp>

namespace benchmark_support {

struct NamedShape {
  char const *name, *architecture;
  graft::Index layers, width, heads, kv_heads, inner, vocabulary, positions;
};

/// The last two are for rehearsals.
inline std::vector<NamedShape> const& shapes() {
  static std::vector<NamedShape> const all{
      {"gpt2-small", "gpt2", 12, 768, 12, 12, 3072, 50257, 1024},
      {"gpt2-medium", "gpt2", 24, 1024, 16, 16, 4096, 50257, 1024},
      {"gpt2-large", "gpt2", 36, 1280, 20, 20, 5120, 50257, 1024},
      {"smollm2-135m", "llama", 30, 576, 9, 3, 1536, 49152, 8192},
      {"gpt2-tiny", "gpt2", 2, 32, 2, 2, 64, 128, 256},
      {"llama-tiny", "llama", 2, 32, 4, 2, 48, 128, 256},
  };
  return all;
}
[[nodiscard]] inline std::vector<std::string> shape_names(std::string const& architecture = "") {
  std::vector<std::string> names;
  for (auto const& shape : shapes())
    if (architecture.empty() || architecture == shape.architecture) names.emplace_back(shape.name);
  return names;
}

[[nodiscard]] inline graft::ModelConfig shape_config(std::string const& name) {
  for (auto const& shape : shapes()) {
    if (name != shape.name) continue;
    graft::ModelConfig config;
    config.architecture = shape.architecture;
    config.vocabulary = shape.vocabulary;
    config.width = shape.width;
    config.layers = shape.layers;
    config.heads = shape.heads, config.kv_heads = shape.kv_heads;
    config.head_dim = shape.width / shape.heads;
    config.inner = shape.inner;
    config.positions = shape.positions;
    if (config.architecture == "llama") {
      config.activation = graft::Activation::silu;
      config.inverse_frequency = graft::rotary_frequencies(config.head_dim, 100000.0);
    }
    return config;
  }
  graft::fail<graft::ConfigError>("[shape] got ", name, "; expected a name that --help lists");
}

template <graft::Architecture A>
[[nodiscard]] graft::Base<A> random_base(graft::ModelConfig const& config) {
  auto base = std::make_shared<graft::Pretrained<A>>(config);
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto& weights = base->mutable_at(site.address);
    auto const key = graft::RandomKey(0).with(site.name);
    if (site.role == graft::Role::norm)
      weights.gain = graft::full(graft::Shape{site.out}, 1.0F);
    else
      weights.matrix = graft::for_products<float>(
          graft::normal<float>(
              site.layout == graft::Layout::in_out ? graft::Shape{site.in, site.out} : graft::Shape{site.out, site.in},
              key, 0.02),
          site.layout);
    if (site.bias) weights.bias = graft::zeros<float>(graft::Shape{site.out});
  }
  return base;
}

}  // namespace benchmark_support
