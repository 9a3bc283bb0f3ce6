// What the strategies' pages say of parameters and operations, against what the library counts. Pages show the
// formulas.
#include <graft/graft.hpp>

#include "docs/tiny_model.hpp"

namespace {

using graft::Index;

Index multiplied = 0;
void (*carried_out)(graft::kernels::Product<float> const&) = nullptr;

/// Multiply-adds in products of a forward pass with T tokens, all of which are queries of the last layer.
template <class Model>
Index multiply_adds(Model const& model, graft::Batch const& batch) {
  auto& function = graft::kernels::Matmul<graft::Cpu, float>::function();
  carried_out = function;
  function = [](graft::kernels::Product<float> const& p) {
    multiplied += p.m * p.n * p.k;
    carried_out(p);
  };
  multiplied = 0;
  graft::NoGrad const no_grad;
  (void)model.logits(batch);
  function = carried_out;
  return multiplied;
}

class Costs : public docs::Docs {
 protected:
  graft::Base<graft::Llama> base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  graft::StackConfig const& stack = base->config();
  // the names of the pages: layers, width of the residual, of queries, of keys, of the feed-forward, tokens of the
  // vocabulary
  Index const L = stack.layers, d = base->config().width, q = stack.query_width(), k = stack.kv_width(),
              f = stack.inner, V = base->config().vocabulary;
  // a source of one token, so that the last layer computes every token
  graft::Batch const batch = graft::pack({{.source = {5}, .target = {7, 2, 9, 4}}});
  Index const T = batch.rows.tokens();

  /// Multiply-adds of a pass beyond those of the base.
  template <class Strategy>
  Index added(Strategy const& settings) const {
    return multiply_adds(graft::adapt(base, settings), batch) -
           multiply_adds(graft::adapt(base, graft::NoAdaptation{}), batch);
  }
  template <class Strategy>
  Index trainable(Strategy const& settings) const {
    return graft::adapt(base, settings).parameter_counts().trainable;
  }
};

TEST_F(Costs, PrefixTuning) {
  Index const P = 10, h = 24;
  //! [prefix parameters]
  Index const flat = P * 2 * L * k;
  Index const mlp =
      P * k + (k * h + h) + (h * 2 * L * k + 2 * L * k);  // E, W₁ and b₁, W₂ and b₂; the saved prefix is flat
  //! [prefix parameters]
  //! [prefix operations]
  Index const mlp_a_step = P * (k * h + h * 2 * L * k);  // once a step, whatever the batch; a flat prefix has none
  //! [prefix operations]
  EXPECT_EQ(trainable(graft::PrefixTuning{.length = P}), flat);
  EXPECT_EQ(trainable(graft::InfixTuning{.length = P}), flat);
  graft::PrefixTuning const reparametrized{.length = P, .reparametrization = graft::Mlp{.hidden = h}};
  EXPECT_EQ(trainable(reparametrized), mlp);
  EXPECT_EQ(added(graft::PrefixTuning{.length = P}), 0);
  EXPECT_EQ(added(graft::InfixTuning{.length = P}), 0);
  EXPECT_EQ(added(reparametrized), mlp_a_step);
}

TEST_F(Costs, VirtualTokens) {
  Index const P = 6, h = 24;
  //! [prompt parameters]
  Index const prompt = P * d;
  //! [prompt parameters]
  //! [prompt operations]
  // each virtual token runs through the layers as a token does; the last layer computes its keys and values alone
  Index const rows_longer = P * ((L - 1) * (d * (q + 2 * k) + q * d + 3 * d * f) + d * 2 * k);
  //! [prompt operations]
  EXPECT_EQ(trainable(graft::PromptTuning{.length = P}), prompt);
  EXPECT_EQ(trainable(graft::EmbeddingOnly{.length = P}), prompt);
  EXPECT_EQ(added(graft::PromptTuning{.length = P}), rows_longer);
  EXPECT_EQ(added(graft::EmbeddingOnly{.length = P}), rows_longer);
  //! [embedding-only parameters]
  Index const embedding_mlp = P * d + (d * h + h) + (h * d + d);  // E', W₁ and b₁, W₂ and b₂; P * d are saved
  Index const mlp_a_step = P * (d * h + h * d);
  //! [embedding-only parameters]
  graft::EmbeddingOnly const reparametrized{.length = P, .reparametrization = graft::Mlp{.hidden = h}};
  EXPECT_EQ(trainable(reparametrized), embedding_mlp);
  EXPECT_EQ(added(reparametrized), rows_longer + mlp_a_step);
  //! [p-tuning parameters]
  Index const encoder_mlp = P * d + (d * h + h) + (h * h + h) + (h * d + d);  // E and three maps; P * d are saved
  Index const encoder_a_step = P * (d * h + h * h + h * d);
  //! [p-tuning parameters]
  graft::PTuning const p_tuning{.length = P, .hidden = h};
  EXPECT_EQ(trainable(p_tuning), encoder_mlp);
  EXPECT_EQ(added(p_tuning), rows_longer + encoder_a_step);
}

TEST_F(Costs, BesideProducts) {
  Index const r = 4, b = 8;
  //! [lora parameters]
  Index const lora = L * (r * (d + q) + r * (d + k));  // A and B of the query and of the value product
  //! [lora parameters]
  //! [lora operations]
  Index const lora_a_token = L * (r * (d + q) + r * (d + k));  // none once it is merged
  //! [lora operations]
  EXPECT_EQ(trainable(graft::LoRA{.rank = r}), lora);
  EXPECT_EQ(added(graft::LoRA{.rank = r}), T * lora_a_token);
  //! [ia3 parameters]
  Index const ia3 = L * (k + k + f);  // keys, values, the feed-forward's inner activations
  //! [ia3 parameters]
  EXPECT_EQ(trainable(graft::IA3{}), ia3);
  EXPECT_EQ(added(graft::IA3{}), 0);
  //! [adapter parameters]
  Index const one = (d * b + b) + (b * d + d);           // down and its bias, up and its bias
  Index const between = L * one, houlsby = 2 * L * one;  // Pfeiffer's are as many as those between layers
  //! [adapter parameters]
  //! [adapter operations]
  Index const adapter_a_token = L * 2 * d * b;  // twice that for Houlsby's
  //! [adapter operations]
  using graft::AdapterPlacement;
  EXPECT_EQ(trainable(graft::BottleneckAdapter{.bottleneck = b}), between);
  EXPECT_EQ(trainable(graft::BottleneckAdapter{.bottleneck = b, .placement = AdapterPlacement::pfeiffer}), between);
  EXPECT_EQ(trainable(graft::BottleneckAdapter{.bottleneck = b, .placement = AdapterPlacement::houlsby}), houlsby);
  EXPECT_EQ(added(graft::BottleneckAdapter{.bottleneck = b}), T * adapter_a_token);
  //! [parallel parameters]
  Index const parallel = L * ((d * b + b) + (b * d + d));  // twice that beside both sublayers
  Index const parallel_a_token = L * 2 * d * b;
  //! [parallel parameters]
  EXPECT_EQ(trainable(graft::ParallelAdapter{.bottleneck = b}), parallel);
  EXPECT_EQ(added(graft::ParallelAdapter{.bottleneck = b}), T * parallel_a_token);
}

TEST_F(Costs, ModelsOwnWeights) {
  Index const n = 2;
  //! [layer parameters]
  Index const layer = d * (q + 2 * k) + q * d + 3 * d * f + 2 * d;  // products of attention and feed-forward, two norms
  Index const top = n * layer + d;                                  // the last n layers and the norm behind them
  Index const all = L * layer + d + V * d;                          // with a tied head, which is the embedding
  //! [layer parameters]
  EXPECT_EQ(trainable(graft::TopLayers{.layers = static_cast<int>(n)}), top);
  EXPECT_EQ(trainable(graft::FullFineTuning{}), all);
  EXPECT_EQ(added(graft::TopLayers{.layers = static_cast<int>(n)}), 0);
  EXPECT_EQ(added(graft::FullFineTuning{}), 0);
  //! [compose parameters]
  Index const together = trainable(graft::PrefixTuning{.length = 4}) + trainable(graft::LoRA{.rank = 2});
  //! [compose parameters]
  EXPECT_EQ(trainable(graft::compose(graft::PrefixTuning{.length = 4}, graft::LoRA{.rank = 2})), together);
}

TEST_F(Costs, OtherArchitectures) {
  auto const gpt2 = graft::load_pretrained<graft::Gpt2>("gpt2");
  auto const& config = gpt2->config();
  Index const layers = config.layers, width = config.width, inner = config.inner;
  //! [bitfit parameters]
  Index const norms = 2 * width, attention = 3 * width + width, feed_forward = inner + width;
  Index const biases = layers * (norms + attention + feed_forward) + width;  // GPT-2's; the last norm has one too
  //! [bitfit parameters]
  EXPECT_EQ(graft::adapt(gpt2, graft::BitFit{}).parameter_counts().trainable, biases);

  docs::write_model<graft::Bert>("MiniLM");
  auto const bert = graft::load_pretrained<graft::Bert>("MiniLM");
  Index const labels = 3;
  Index const bert_width = bert->config().width;
  //! [head parameters]
  Index const head = labels * bert_width + labels;  // BERT's; RoBERTa's has a map [width, width] and its bias before it
  //! [head parameters]
  EXPECT_EQ(graft::adapt(bert, graft::ClassificationHead{.labels = labels}).parameter_counts().trainable, head);
}

TEST_F(Costs, AdapterTable) {
  auto table = graft::adapt(base, graft::AdapterTable{});
  auto const lora = graft::adapt(base, graft::LoRA{.rank = 4});
  auto const prefix = graft::adapt(base, graft::PrefixTuning{.length = 10});
  graft::add_adapter(table, lora);
  graft::add_adapter(table, prefix);
  //! [table parameters]
  Index const all = lora.parameter_counts().trainable + prefix.parameter_counts().trainable;
  //! [table parameters]
  EXPECT_EQ(table.parameter_counts().trainable, all);
}

}  // namespace
