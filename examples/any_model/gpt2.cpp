// GPT-2 with every strategy.
#include <graft/models/gpt2.hpp>

#include "adapted.hpp"
#include "bases.hpp"

namespace any_model {

std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Gpt2> base) {
  return std::make_unique<BaseOf<graft::Gpt2>>(std::move(base));
}

std::unique_ptr<AnyBase> random_gpt2(graft::Index layers, graft::Index width, graft::Index heads,
                                     graft::Index vocabulary, graft::Index positions) {
  graft::ModelConfig config;
  config.architecture = "gpt2";
  config.vocabulary = vocabulary;
  config.width = width;
  config.layers = layers;
  config.heads = config.kv_heads = heads;
  config.head_dim = width / heads;
  config.inner = 4 * width;
  config.positions = positions;
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
  return wrap_base(graft::Base<graft::Gpt2>(base));
}

}  // namespace any_model
