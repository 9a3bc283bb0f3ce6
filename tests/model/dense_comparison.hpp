// The library's transformer against the dense reference, strategy by strategy, for one architecture; and its gradients
// against central differences.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include <graft/autograd/gradcheck.hpp>
#include <graft/core/thread_pool.hpp>

#include "dense_additions.hpp"
#include "support/worst.hpp"

namespace dense {

using graft::AdapterPlacement, graft::compose, graft::Place, graft::PositionPolicy;
using graft::BottleneckAdapter, graft::EmbeddingOnly, graft::IA3, graft::InfixTuning, graft::LoRA, graft::Mlp,
    graft::NoAdaptation, graft::ParallelAdapter, graft::ParallelPlacement, graft::PrefixTuning,
    graft::PromptEncoderKind, graft::PTuning, graft::PromptTuning, graft::TopLayers;

template <graft::Architecture A>
class Comparison {
 public:
  /// Logits at every token, then the loss at the targets (where the last layer computes less).
  template <class Settings>
  static auto agrees(std::string const& name, Settings const& settings) {
    SCOPED_TRACE(name);
    auto model = graft::adapt(small::base<A, double>(), settings, 1);
    small::disturb(model);
    auto const examples = small::examples();
    std::vector<Row> rows;
    for (auto const& example : examples) {
      rows.push_back({std::vector<int>(example.source.begin(), example.source.end()), example.source.size() - 1});
      rows.back().tokens.insert(rows.back().tokens.end(), example.target.begin(), example.target.end() - 1);
    }
    Matrix const expected = twin(model).logits(rows);
    graft::NoGrad no_grad;
    auto const batch = graft::pack(examples);
    auto const logits = model.logits(small::every_token(batch)).value();
    EXPECT_EQ(static_cast<std::size_t>(logits.rows()), expected.rows);
    double const largest = distance(expected, Matrix(expected.rows, expected.width));
    EXPECT_LE(distance(matrix_of(logits), expected), 1e-10 * largest) << "logits";
    if (!model.parameters().empty()) {  // the strategy does something
      auto plain = graft::adapt(model.base(), NoAdaptation{});
      EXPECT_GT(distance(twin(plain).logits(rows), expected), 1e-2 * largest);
    }
    double const loss = expected_loss(expected, batch);
    EXPECT_NEAR(small::loss(model, batch).value().data()[0], loss, 1e-10 * loss);
    return model;
  }

  template <class Settings>
  static void agrees_with_gradients(std::string const& name, Settings const& settings) {
    auto model = agrees(name, settings);
    std::vector<graft::Parameter<double>> parameters;
    for (auto* parameter : model.parameters()) parameters.push_back(*parameter);
    auto const batch = graft::pack(small::examples());
    auto const report = graft::gradcheck([&] { return small::loss(model, batch); }, parameters);
    EXPECT_TRUE(report.passed) << name << ": " << report.message;
  }

 private:
  static double distance(Matrix const& a, Matrix const& b) {
    double worst = 0;
    for (std::size_t i = 0; i < b.data.size(); ++i) {
      double const error = std::abs(a.data.at(i) - b.data[i]);
      worst = graft::testing::worse(worst, error);
    }
    return worst;
  }
  static double expected_loss(Matrix const& logits, graft::Batch const& batch) {
    double sum = 0;
    auto const& targets = batch.rows.targets;
    for (std::size_t t = 0; t < targets.at.size(); ++t) {
      double const* const row = &logits.data[static_cast<std::size_t>(targets.at[t]) * logits.width];
      double total = 0;
      for (std::size_t v = 0; v < logits.width; ++v) total += std::exp(row[v]);
      sum -= row[targets.labels[t]] - std::log(total);
    }
    return sum / static_cast<double>(targets.at.size());
  }
};

template <class A>
class DenseReference : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    graft::ThreadPool::global().resize(1);
  }  // thousands of tiny passes: waking a thread costs more than its work
};
TYPED_TEST_SUITE_P(DenseReference);

TYPED_TEST_P(DenseReference, Base) { Comparison<TypeParam>::agrees("none", NoAdaptation{}); }

TYPED_TEST_P(DenseReference, Prefix) {
  using C = Comparison<TypeParam>;
  C::agrees("flat", PrefixTuning{.length = 4});
  C::agrees("layers 0 and 2", PrefixTuning{.length = 4, .layers = {2, 0}});
  C::agrees("positions kept", PrefixTuning{.length = 4, .positions = PositionPolicy::keep});
  C::agrees("top layer, MLP",
            PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 7, .input = 5}, .layers = {2}});
  C::agrees_with_gradients(
      "MLP with layer norm",
      PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 7, .input = 5, .layer_norm = true}});
}

TYPED_TEST_P(DenseReference, Infix) {
  using C = Comparison<TypeParam>;
  C::agrees("flat", InfixTuning{.length = 4});
  C::agrees("positions kept", InfixTuning{.length = 4, .positions = PositionPolicy::keep});
  C::agrees_with_gradients("layers 1 and 2, MLP",
                           InfixTuning{.length = 3, .reparametrization = Mlp{.hidden = 6}, .layers = {1, 2}});
}

TYPED_TEST_P(DenseReference, VirtualTokens) {
  using C = Comparison<TypeParam>;
  C::agrees("prompt", PromptTuning{.length = 4});
  C::agrees("prompt, positions kept", PromptTuning{.length = 4, .positions = PositionPolicy::keep});
  C::agrees_with_gradients("embedding-only infix, MLP", EmbeddingOnly{.length = 3,
                                                                      .place = Place::infix,
                                                                      .reparametrization = Mlp{.hidden = 6, .input = 4},
                                                                      .init = graft::Init::normal});
  C::agrees("embedding-only infix, positions kept",
            EmbeddingOnly{.length = 3, .place = Place::infix, .positions = PositionPolicy::keep});
}

TYPED_TEST_P(DenseReference, Adapter) {
  using C = Comparison<TypeParam>;
  C::agrees("between layers", BottleneckAdapter{.bottleneck = 3});
  C::agrees("pfeiffer, ReLU",
            BottleneckAdapter{
                .bottleneck = 3, .placement = AdapterPlacement::pfeiffer, .activation = graft::Activation::relu});
  C::agrees_with_gradients("houlsby", BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::houlsby});
}

TYPED_TEST_P(DenseReference, LoraTargets) {
  bool const gpt2 = TypeParam::fused_attention;
  using Names = std::vector<std::string>;
  Comparison<TypeParam>::agrees("default targets", LoRA{.rank = 2});
  Comparison<TypeParam>::agrees_with_gradients(
      "all targets",
      LoRA{.rank = 2,
           .alpha = 3,
           .targets = gpt2 ? Names{"c_attn", "c_proj", "c_fc"}
                           : Names{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}});
}

TYPED_TEST_P(DenseReference, Scales) {
  bool const gpt2 = TypeParam::fused_attention;
  using Names = std::vector<std::string>;
  Comparison<TypeParam>::agrees_with_gradients("default targets", IA3{});
  Comparison<TypeParam>::agrees(
      "outputs and inputs elsewhere",
      gpt2 ? IA3{.targets = {"attn.c_proj", "c_fc"}, .feed_forward_targets = Names{"c_attn"}}
           : IA3{.targets = {"q_proj", "up_proj", "o_proj"}, .feed_forward_targets = Names{"gate_proj", "o_proj"}});
  auto const settings =
      compose(LoRA{.rank = 2, .targets = gpt2 ? Names{"c_attn", "mlp.c_proj"} : Names{"k_proj", "down_proj"}}, IA3{});
  Comparison<TypeParam>::agrees_with_gradients("around LoRA", settings);
}

TYPED_TEST_P(DenseReference, PromptEncoders) {
  using C = Comparison<TypeParam>;
  C::agrees_with_gradients("MLP", PTuning{.length = 4, .hidden = 5});
  C::agrees_with_gradients("LSTM", PTuning{.length = 3, .encoder = PromptEncoderKind::lstm, .hidden = 2, .layers = 2});
  C::agrees("LSTM of one layer, one token", PTuning{.length = 1, .encoder = PromptEncoderKind::lstm, .layers = 1});
  C::agrees("rows that the model does not read",
            PTuning{.length = 3, .encoder = PromptEncoderKind::lstm, .hidden = 3, .submodules = 2});
  C::agrees("flat", PTuning{.length = 4, .flat = true});
  C::agrees_with_gradients("with LoRA", compose(PTuning{.length = 2, .hidden = 3}, LoRA{.rank = 1}));
}

TYPED_TEST_P(DenseReference, Parallel) {
  using C = Comparison<TypeParam>;
  C::agrees("beside the feed-forward", ParallelAdapter{.bottleneck = 3, .scale = 2});
  C::agrees_with_gradients("beside attention", ParallelAdapter{.bottleneck = 3,
                                                               .placement = ParallelPlacement::attention,
                                                               .activation = graft::Activation::gelu,
                                                               .scale = 0.5});
  C::agrees(
      "beside both",
      ParallelAdapter{.bottleneck = 2, .placement = ParallelPlacement::both, .activation = graft::Activation::silu});
  C::agrees_with_gradients("with a prefix",
                           graft::mam({.length = 2}, {.bottleneck = 2, .activation = graft::Activation::gelu}));
  C::agrees("with adapters between layers",
            compose(ParallelAdapter{.bottleneck = 2}, BottleneckAdapter{.bottleneck = 2}));
}

TYPED_TEST_P(DenseReference, PrefixAndLoRA) {
  Comparison<TypeParam>::agrees_with_gradients("prefix and LoRA",
                                               compose(PrefixTuning{.length = 2, .layers = {1}}, LoRA{.rank = 2}));
}

TYPED_TEST_P(DenseReference, PromptAndPrefix) {
  Comparison<TypeParam>::agrees_with_gradients("prompt and prefix",
                                               compose(PromptTuning{.length = 3}, PrefixTuning{.length = 2}));
}

TYPED_TEST_P(DenseReference, PrefixInfixAndAdapter) {
  Comparison<TypeParam>::agrees_with_gradients(
      "prefix, infix and adapter",
      compose(PrefixTuning{.length = 2}, InfixTuning{.length = 3, .layers = {0, 1}},
              BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::pfeiffer}));
}

TYPED_TEST_P(DenseReference, InfixTokensAndKeysAndTopLayers) {
  auto const settings = compose(EmbeddingOnly{.length = 2, .place = Place::infix}, InfixTuning{.length = 3},
                                TopLayers{.layers = 1, .head = true});
  Comparison<TypeParam>::agrees_with_gradients("infix tokens, infix keys, top layer and head", settings);
}

REGISTER_TYPED_TEST_SUITE_P(DenseReference, Base, Prefix, Infix, VirtualTokens, Adapter, LoraTargets, Scales,
                            PromptEncoders, Parallel, PrefixAndLoRA, PromptAndPrefix, PrefixInfixAndAdapter,
                            InfixTokensAndKeysAndTopLayers);

}  // namespace dense
