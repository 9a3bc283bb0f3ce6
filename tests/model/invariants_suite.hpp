// Every strategy through the invariants, for one architecture.
#pragma once

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>

#include "invariants.hpp"

namespace invariants {

using graft::BitFit, graft::BottleneckAdapter, graft::EmbeddingOnly, graft::FullFineTuning, graft::IA3,
    graft::InfixTuning, graft::LoRA, graft::PTuning;
using graft::Mlp, graft::ParallelAdapter, graft::ParallelPlacement, graft::PromptEncoderKind, graft::PrefixTuning,
    graft::PromptTuning, graft::TopLayers;

template <class A>
class Invariants : public testing::Test {};
TYPED_TEST_SUITE_P(Invariants);

TYPED_TEST_P(Invariants, Prefix) {
  training_changes_the_adapter_alone<TypeParam>(PrefixTuning{.length = 3, .layers = {0, 2}});
  training_changes_the_adapter_alone<TypeParam>(
      PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 5, .layer_norm = true}});
  dropout_is_addressed<TypeParam>(PrefixTuning{.length = 3, .dropout = 0.4}, PrefixTuning{.length = 3});
}
TYPED_TEST_P(Invariants, Infix) {
  training_changes_the_adapter_alone<TypeParam>(InfixTuning{.length = 3, .reparametrization = Mlp{.hidden = 5}});
}
TYPED_TEST_P(Invariants, Prompt) { training_changes_the_adapter_alone<TypeParam>(PromptTuning{.length = 3}); }
TYPED_TEST_P(Invariants, EmbeddingOnlyInfix) {
  training_changes_the_adapter_alone<TypeParam>(
      EmbeddingOnly{.length = 3, .place = graft::Place::infix, .reparametrization = Mlp{.hidden = 5}});
}
TYPED_TEST_P(Invariants, Adapter) {
  for (auto placement :
       {graft::AdapterPlacement::between_layers, graft::AdapterPlacement::houlsby, graft::AdapterPlacement::pfeiffer}) {
    starts_as_the_base<TypeParam>(BottleneckAdapter{.bottleneck = 3, .placement = placement});
    training_changes_the_adapter_alone<TypeParam>(BottleneckAdapter{.bottleneck = 3, .placement = placement});
  }
}
TYPED_TEST_P(Invariants, LowRank) {
  starts_as_the_base<TypeParam>(LoRA{.rank = 2});
  training_changes_the_adapter_alone<TypeParam>(LoRA{.rank = 2});
  dropout_is_addressed<TypeParam>(LoRA{.rank = 2, .dropout = 0.3}, LoRA{.rank = 2});
}
TYPED_TEST_P(Invariants, Scales) {
  starts_as_the_base<TypeParam>(IA3{});
  training_changes_the_adapter_alone<TypeParam>(IA3{});
}
TYPED_TEST_P(Invariants, PromptEncoders) {
  training_changes_the_adapter_alone<TypeParam>(PTuning{.length = 5, .hidden = 4});
  training_changes_the_adapter_alone<TypeParam>(PTuning{.length = 5, .flat = true});
  training_changes_the_adapter_alone<TypeParam>(PTuning{.length = 5, .encoder = PromptEncoderKind::lstm, .hidden = 3});
  PTuning const lstm{.length = 5, .encoder = PromptEncoderKind::lstm, .hidden = 4};
  auto dropped = lstm;
  dropped.dropout = 0.4;
  dropout_is_addressed<TypeParam>(dropped, lstm);
}
TYPED_TEST_P(Invariants, Parallel) {
  for (auto placement : {ParallelPlacement::feed_forward, ParallelPlacement::attention, ParallelPlacement::both}) {
    starts_as_the_base<TypeParam>(ParallelAdapter{.bottleneck = 3, .placement = placement});
    training_changes_the_adapter_alone<TypeParam>(ParallelAdapter{.bottleneck = 3, .placement = placement});
  }
  training_changes_the_adapter_alone<TypeParam>(graft::mam({.length = 3}, {.bottleneck = 3}));
}
TYPED_TEST_P(Invariants, Full) {
  starts_as_the_base<TypeParam>(FullFineTuning{});
  training_changes_the_adapter_alone<TypeParam>(FullFineTuning{});
}
TYPED_TEST_P(Invariants, TopLayer) {
  starts_as_the_base<TypeParam>(TopLayers{.layers = 1});
  training_changes_the_adapter_alone<TypeParam>(TopLayers{.layers = 1});
  training_changes_the_adapter_alone<TypeParam>(TopLayers{.layers = 2, .head = true});
  auto const recorded = [](TopLayers const& settings) {
    auto model = graft::adapt(small::base<TypeParam, double>(), settings);
    auto const loss = small::loss(model, graft::pack(small::examples()));
    auto const size = graft::Tape::current().size();
    graft::Tape::current().discard();
    return size;
  };
  EXPECT_LT(recorded({.layers = 1}) + 5, recorded({.layers = 2}))
      << "something is recorded below the lowest trained layer";
}
TYPED_TEST_P(Invariants, Biases) {
  if constexpr (TypeParam::fused_attention) {
    starts_as_the_base<TypeParam>(BitFit{});
    training_changes_the_adapter_alone<TypeParam>(BitFit{});
  } else {
    try {
      (void)graft::adapt(small::base<TypeParam, double>(), BitFit{});
      FAIL() << "no error";
    } catch (graft::ConfigError const& error) {
      EXPECT_STREQ(error.what(),
                   "[bitfit] got a llama model without biases; expected biases to train; hint: LoRA or prefix tuning");
    }
  }
}
TYPED_TEST_P(Invariants, PrefixAndLoRA) {
  training_changes_the_adapter_alone<TypeParam>(graft::compose(PrefixTuning{.length = 2}, LoRA{.rank = 2}));
}

REGISTER_TYPED_TEST_SUITE_P(Invariants, Prefix, Infix, Prompt, EmbeddingOnlyInfix, Adapter, LowRank, Scales,
                            PromptEncoders, Parallel, Full, TopLayer, Biases, PrefixAndLoRA);

}  // namespace invariants
