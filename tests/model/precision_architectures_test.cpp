// Models whose activations are bfloat16: the other strategies, and the other architectures.
#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/t5.hpp>

#include "precision.hpp"

namespace {

using graft::Bart, graft::Bert, graft::Bfloat16, graft::Gpt2, graft::Llama, graft::T5;
using graft::compose, graft::LoRA, graft::PrefixTuning, graft::PromptTuning;
using precision::expect_as_in_float32, precision::expect_generation_as_in_float32, precision::same_bits;

TEST(PrecisionOfStrategies, VirtualActivationsAndAdapters) {
  expect_as_in_float32<Gpt2>("infix and adapters",
                             compose(graft::InfixTuning{.length = 3}, graft::BottleneckAdapter{.bottleneck = 3}));
  expect_as_in_float32<Gpt2>(
      "embedding-only, (IA)³, parallel adapters",
      compose(graft::EmbeddingOnly{.length = 3}, graft::IA3{}, graft::ParallelAdapter{.bottleneck = 3}));
  expect_as_in_float32<Gpt2>("P-tuning", graft::PTuning{.length = 3, .hidden = 4});
}
TEST(PrecisionOfStrategies, TheModelsOwnWeights) {
  expect_as_in_float32<Gpt2>("full fine-tuning", graft::FullFineTuning{}, precision::base<Gpt2>(), 1e-3);
  expect_as_in_float32<Llama>("top layers", graft::TopLayers{.layers = 1, .head = true});
  expect_as_in_float32<Gpt2>("BitFit", graft::BitFit{});
}

TEST(PrecisionOfArchitectures, EncoderDecoders) {
  expect_as_in_float32<T5>("full fine-tuning", graft::FullFineTuning{}, precision::base<T5>(), 1e-3);
  expect_as_in_float32<T5>("prefix and LoRA",
                           compose(PrefixTuning{.length = 2, .init_deviation = 0.5}, LoRA{.rank = 2}));
  auto const prompt = compose(PromptTuning{.length = 2, .init = graft::Init::normal, .side = graft::Side::both},
                              graft::BottleneckAdapter{.bottleneck = 3});
  expect_as_in_float32<Bart>("prompt and adapters", prompt);
  expect_generation_as_in_float32<Bart>(prompt);
}
TEST(PrecisionOfArchitectures, Encoders) {
  expect_as_in_float32<Bert>("prefix and a head", compose(PrefixTuning{.length = 2, .init_deviation = 0.5},
                                                          graft::ClassificationHead{.labels = 3}));
}

/// Rows of several adapters, each beside a model of its own that computes in bfloat16, too.
TEST(PrecisionOfStrategies, AdapterTable) {
  auto const base = precision::base<Llama>();
  auto table = graft::adapt<Bfloat16>(base, graft::AdapterTable{});
  auto prefix = graft::adapt<Bfloat16>(base, PrefixTuning{.length = 3}, 1);
  auto lora = graft::adapt<Bfloat16>(base, LoRA{.rank = 2}, 2);
  auto second = graft::adapt<Bfloat16>(base, PrefixTuning{.length = 3}, 3),
       longer = graft::adapt<Bfloat16>(base, PrefixTuning{.length = 5}, 4);
  small::disturb(prefix), small::disturb(lora, 0.1), small::disturb(second), small::disturb(longer);
  EXPECT_EQ(graft::add_adapter(table, prefix), 0);
  EXPECT_EQ(graft::add_adapter(table, lora), 1);
  EXPECT_EQ(graft::add_adapter(table, second), 2);  // in one storage with the first
  EXPECT_EQ(graft::add_adapter(table, longer), 3);
  auto batch = table.pack(small::examples());
  auto alone = batch;
  batch.rows.adapter = {0, 1, 2, 3, -1};
  auto plain = graft::adapt<Bfloat16>(base, graft::NoAdaptation{});
  auto const together = precision::logits(table, batch);
  std::vector<graft::Tensor<float>> const of{precision::logits(plain, alone), precision::logits(prefix, alone),
                                             precision::logits(lora, alone), precision::logits(second, alone),
                                             precision::logits(longer, alone)};
  for (graft::Index r = 0; r < batch.rows.count(); ++r) {
    auto const& expected = of[static_cast<std::size_t>(batch.rows.adapter_of(r) + 1)];
    graft::Index const first = batch.rows.begin(r), last = first + batch.rows.length(r);
    EXPECT_LE(precision::relative(together.slice(first, last), expected.slice(first, last)),
              std::sqrt(precision::roundings<Llama>(table.config())) * precision::unit)
        << "row " << r;
  }
  auto const gradients = precision::gradients(table, batch);
  ASSERT_EQ(gradients.size(), 3 + lora.parameters().size());
  for (std::size_t i = 0; i < gradients.size(); ++i) EXPECT_GT(precision::largest_of(gradients[i]), 0) << i;
}

/// Adapters are float32 in files, whatever they were trained with; merging them gives the base that float32 gives.
TEST(PrecisionOfStrategies, MergesAsInFloat32) {
  auto wide = graft::adapt(small::base<Gpt2, float>(), LoRA{.rank = 2}, 5);
  small::disturb(wide);
  auto const narrow = graft::with_precision<Bfloat16>(wide);
  graft::Base<Gpt2> const merged = graft::merge(narrow), expected = graft::merge(wide);
  EXPECT_EQ(merged->weights_hash(), expected->weights_hash());
  EXPECT_NE(merged->weights_hash(), wide.base()->weights_hash());
}

}  // namespace
