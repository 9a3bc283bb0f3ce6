/// @file
/// @brief A base of GPT-2's shape with random weights, for measurements without a checkpoint.
#pragma once

#include <memory>

#include <graft/any/bases.hpp>
#include <graft/tensor/tensor.hpp>

namespace benchmark_support {

[[nodiscard]] inline std::unique_ptr<graft::any::AnyBase> random_gpt2(graft::Index layers, graft::Index width,
                                                                      graft::Index heads) {
  graft::ModelConfig config;
  config.architecture = "gpt2";
  config.vocabulary = 50257;
  config.width = width;
  config.layers = layers;
  config.heads = config.kv_heads = heads;
  config.head_dim = width / heads;
  config.inner = 4 * width;
  config.positions = 1024;
  auto base = std::make_shared<graft::Pretrained<graft::Gpt2>>(config);
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto& weights = base->mutable_at(site.address);
    auto const key = graft::RandomKey(0).with(site.name);
    if (site.role == graft::Role::norm)
      weights.gain = graft::full(graft::Shape{site.out}, 1.0F);
    else
      weights.matrix = {graft::normal<float>(site.layout == graft::Layout::in_out ? graft::Shape{site.in, site.out}
                                                                                  : graft::Shape{site.out, site.in},
                                             key, 0.02),
                        site.layout};
    if (site.bias) weights.bias = graft::zeros<float>(graft::Shape{site.out});
  }
  return graft::any::wrap_base(graft::Base<graft::Gpt2>(base));
}

}  // namespace benchmark_support
