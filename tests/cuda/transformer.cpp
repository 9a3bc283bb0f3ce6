// Compiled by check_transformer.cmake, never run: models on a GPU with every strategy, from their weights to a trained
// step and generated text. What the compiler refuses must be kernels that no device but the host has yet.
#include <graft/adaptation/adapter_table.hpp>
#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/generate/generate.hpp>
#include <graft/io/adapter.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/combine.hpp>
#include <graft/models/dense_weights.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/merge.hpp>
#include <graft/models/prefix_scope.hpp>
#include <graft/models/t5.hpp>
#include <graft/models/to_device.hpp>
#include <graft/optim/adafactor.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>
#include <graft/train/trainer.hpp>

namespace {

using namespace graft;

/// A step of training, and all of one.
template <class A, class Strategy, class P = Float32>
void train(Base<A, float, Cuda> const& base, Strategy const& strategy, P = {}) {
  auto model = adapt<P>(base, strategy);
  Batch const batch = model.pack({{{1, 2}, {3}, 0}});
  backward(token_loss(model.scores(batch), batch.rows.targets, target_weight(batch.rows.targets)));
  AdamW<float, Cuda> optimizer(model.parameters());
  GradientNorm<Cuda> const norm = clip_gradients(optimizer.parameters(), 1.0);
  optimizer.step(1e-3, norm.coefficient);
  (void)evaluate_loss(model, {{{1, 2}, {3}, 0}});
}
template <class A, class Strategy, class P = Float32>
void use(Base<A, float, Cuda> const& base, Strategy const& strategy, P precision = {}) {
  train(base, strategy, precision);
  auto const model = adapt<P>(base, strategy);
  (void)generate(model, {{1, 2}}, Greedy{});
}

template <class A>
void every_strategy(Base<A, float, Cuda> const& base) {
  use(base, PrefixTuning{});
  use(base, InfixTuning{});
  use(base, PromptTuning{});
  use(base, EmbeddingOnly{});
  use(base, PTuning{});
  use(base, LoRA{});
  use(base, IA3{});
  use(base, BottleneckAdapter{});
  use(base, ParallelAdapter{});
  use(base, BitFit{});
  use(base, TopLayers{});
  use(base, FullFineTuning{});
  use(base, mam());
}

/// A base that was loaded on the host, and adapters of one on a GPU as files.
template <class A, class Strategy>
void keep(Base<A, float> const& host, Strategy const& strategy) {
  Base<A, float, Cuda> const base = to_device<Cuda>(host);
  (void)to_device<Cpu>(base)->weights_hash();
  (void)base->weights_hash();
  save_adapter(adapt(base, strategy), "adapter");
  (void)load_adapter<Strategy>(base, "adapter");
}

/// Activations in bfloat16, with strategies that add to products, to keys and values, and behind sublayers.
template <class A>
void with_bfloat16(Base<A, float, Cuda> const& base) {
  use(base, LoRA{}, Bfloat16{});
  use(base, PrefixTuning{}, Bfloat16{});
  use(base, BottleneckAdapter{}, Bfloat16{});
  use(base, FullFineTuning{}, Bfloat16{});
}

/// What else is done with a model.
void the_rest(Base<Gpt2, float, Cuda> const& base) {
  auto lora = adapt(base, LoRA{});
  (void)Trainer(Training{}).fit(lora, {{{1, 2}, {3}, 0}});
  Adafactor<float, Cuda>(lora.parameters()).step(1e-3);
  (void)generate(lora, {{1, 2}}, Sampling{});
  (void)generate(lora, {{1, 2}}, BeamSearch{});
  (void)merge(lora);
  (void)merge(adapt(base, IA3{}));
  (void)merge(adapt(base, FullFineTuning{}));
  (void)with_scope(adapt(base, PrefixTuning{}), PrefixScope::decoder);
  (void)with_dense_weights(base);
  AdapterSet<decltype(lora)> loras;
  (void)combine(loras, {{"one", 0.5}, {"other", 0.5}});
  AdapterSet<decltype(adapt(base, IA3{}))> vectors;
  (void)combine(vectors, {{"one", 0.5}, {"other", 0.5}});
  auto table = adapt(base, AdapterTable{});
  (void)generate(table, {{1, 2}}, Greedy{});
}

}  // namespace

void models(Base<Gpt2, float, Cuda> const& gpt2, Base<Llama, float, Cuda> const& llama, Base<T5, float, Cuda> const& t5,
            Base<Bart, float, Cuda> const& bart, Base<Bert, float, Cuda> const& bert) {
  every_strategy(gpt2);
  every_strategy(llama);
  every_strategy(t5);
  every_strategy(bart);
  with_bfloat16(gpt2);
  with_bfloat16(llama);
  with_bfloat16(t5);
  train(bert, ClassificationHead{.labels = 2});
  train(bert, compose(PrefixTuning{}, ClassificationHead{.labels = 2}));
  the_rest(gpt2);
  keep(to_device<Cpu>(llama), LoRA{});
  keep(to_device<Cpu>(t5), PrefixTuning{});
  keep(to_device<Cpu>(bert), compose(PTuning{}, ClassificationHead{.labels = 2}));
}
