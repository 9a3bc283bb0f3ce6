// Every adaptation, each with what makes decoding hard for it, as one list for the tests of a given architecture.
#pragma once

#include <string>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>

#include "random_model.hpp"

namespace graft::testing {

/// Calls f(model, name) for a model of every adaptation.
template <Architecture A, class F>
void each_adaptation(F const& f) {
  auto const run = [&](auto const& settings, std::string const& name) {
    auto model = random_model<A>(settings);
    f(model, name);
  };
  run(NoAdaptation{}, "none");
  run(PrefixTuning{.length = 3}, "prefix");
  run(
      PrefixTuning{
          .length = 3, .reparametrization = Mlp{.hidden = 5}, .layers = {1, 2}, .positions = PositionPolicy::keep},
      "prefix, MLP, top layers, positions kept");
  run(PromptTuning{.length = 4}, "prompt");
  run(PromptTuning{.length = 4, .positions = PositionPolicy::keep}, "prompt, positions kept");
  run(EmbeddingOnly{.length = 3, .place = Place::infix}, "embedding-only infix");
  run(InfixTuning{.length = 3}, "infix");
  run(BottleneckAdapter{.bottleneck = 3}, "adapter");
  run(BottleneckAdapter{.bottleneck = 3, .placement = AdapterPlacement::houlsby}, "adapter, Houlsby");
  run(LoRA{.rank = 2}, "LoRA");
  run(IA3{}, "(IA)³");
  run(PTuning{.length = 4, .hidden = 5}, "P-tuning, MLP");
  run(PTuning{.length = 6, .encoder = PromptEncoderKind::lstm, .hidden = 5}, "P-tuning, LSTM");
  run(ParallelAdapter{.bottleneck = 3, .placement = ParallelPlacement::both}, "parallel adapter");
  run(mam({.length = 2}, {.bottleneck = 3}), "mix and match");
  run(TopLayers{.layers = 2}, "top layers");
  run(FullFineTuning{}, "full");
  if constexpr (A::fused_attention) run(BitFit{}, "BitFit");
  run(compose(PrefixTuning{.length = 2}, LoRA{.rank = 2}), "prefix and LoRA");
  run(compose(PromptTuning{.length = 2}, InfixTuning{.length = 2}), "prompt and infix");
}

}  // namespace graft::testing
