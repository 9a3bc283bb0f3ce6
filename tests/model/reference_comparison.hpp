// The library's transformer against the plain model of examples/reference, strategy by strategy, for one architecture:
// logits, loss, and gradients against central differences of both.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include <graft/autograd/gradcheck.hpp>
#include <graft/core/thread_pool.hpp>

#include "reference_inspection.hpp"
#include "reference_twin.hpp"
#include "support/worst.hpp"

namespace reference {

using graft::AdapterPlacement, graft::compose, graft::Place, graft::PositionPolicy;
using graft::BitFit, graft::BottleneckAdapter, graft::EmbeddingOnly, graft::FullFineTuning, graft::IA3,
    graft::InfixTuning, graft::LoRA, graft::Mlp, graft::NoAdaptation, graft::ParallelAdapter, graft::ParallelPlacement,
    graft::PrefixTuning, graft::PromptEncoderKind, graft::PTuning, graft::PromptTuning, graft::TopLayers;

inline double distance(Matrix const& a, Matrix const& b) {
  double worst = 0;
  for (Eigen::Index i = 0; i < b.size(); ++i) worst = graft::testing::worse(worst, std::abs(a.data()[i] - b.data()[i]));
  return worst;
}

template <graft::Architecture A>
class Comparison {
 public:
  /// Logits at every token, then the loss at the targets (where the last layer computes less).
  template <class Settings>
  static auto agrees(std::string const& name, Settings const& settings) {
    SCOPED_TRACE(name);
    auto model = graft::adapt(small::base<A, double>(), settings, 1);
    small::disturb(model);
    auto const texts = texts_of(model, small::examples());
    Model const plain = twin(model);
    Matrix const expected = all_logits(plain, texts);
    graft::NoGrad no_grad;
    auto const batch = graft::pack(small::examples());
    auto const logits = matrix_of(model.logits(small::every_token(batch)).value());
    EXPECT_EQ(logits.rows(), expected.rows());
    double const largest = expected.cwiseAbs().maxCoeff();
    EXPECT_LE(distance(logits, expected), 1e-10 * largest) << "logits";
    if (!model.parameters().empty()) {  // the strategy does something
      auto base = graft::adapt(model.base(), NoAdaptation{});
      EXPECT_GT(distance(all_logits(twin(base), texts), expected), 1e-2 * largest);
    }
    double const expected_loss = loss(plain, texts);
    EXPECT_NEAR(small::loss(model, batch).value().data()[0], expected_loss, 1e-10 * expected_loss);
    check_inspection(model, plain, read_of(texts), batch);
    return model;
  }

  /// And the library's gradients are those of the library's loss.
  template <class Settings>
  static void agrees_with_gradients(std::string const& name, Settings const& settings) {
    auto model = agrees(name, settings);
    std::vector<graft::Parameter<double>> parameters;
    for (auto* parameter : model.parameters()) parameters.push_back(*parameter);
    auto const batch = graft::pack(small::examples());
    auto const report = graft::gradcheck([&] { return small::loss(model, batch); }, parameters);
    EXPECT_TRUE(report.passed) << name << ": " << report.message;
  }

  /// And the library's gradients are those of the plain model's loss: differences at some numbers of every parameter,
  /// of four values, as the third derivatives are as large as 10⁶.
  template <class Settings>
  static void gradients_of_plain_loss(std::string const& name, Settings const& settings) {
    auto model = agrees(name, settings);
    auto const texts = texts_of(model, small::examples());
    graft::backward(small::loss(model, graft::pack(small::examples())));
    for (auto* parameter : model.parameters()) {
      auto value = parameter->mutable_value();
      ASSERT_TRUE(parameter->has_gradient()) << name << ": " << parameter->name();
      graft::Index const stride = std::max<graft::Index>(1, value.size() / 3);
      for (graft::Index i = stride / 2; i < value.size(); i += stride) {
        double const at = value.data()[i], width = 1e-5;
        auto const difference = [&](double step) {
          value.data()[i] = at + step;
          double const above = loss(twin(model), texts);
          value.data()[i] = at - step;
          return above - loss(twin(model), texts);
        };
        double const slope = (8 * difference(width) - difference(2 * width)) / (12 * width);
        value.data()[i] = at;
        EXPECT_NEAR(parameter->gradient().data()[i], slope, 1e-7 * std::max(1.0, std::abs(slope)))
            << name << ": " << parameter->name() << " at " << i;
      }
    }
  }

 private:
  /// What the model reads of texts: all but their last targets.
  static std::vector<Text> read_of(std::vector<Text> texts) {
    for (auto& text : texts) text.tokens.pop_back();
    return texts;
  }
  /// `[real tokens that are read, vocabulary]`.
  static Matrix all_logits(Model const& plain, std::vector<Text> const& texts) {
    Matrix all;
    for (auto const& text : read_of(texts)) {
      Matrix const own = logits(plain, text);
      all = all.size() == 0 ? own : stack(all, own, Matrix());
    }
    return all;
  }
};

template <class A>
class PlainReference : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    graft::ThreadPool::global().resize(1);
  }  // thousands of tiny passes: waking a thread costs more than its work
};
TYPED_TEST_SUITE_P(PlainReference);

TYPED_TEST_P(PlainReference, Base) { Comparison<TypeParam>::agrees("none", NoAdaptation{}); }

TYPED_TEST_P(PlainReference, Prefix) {
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

TYPED_TEST_P(PlainReference, Infix) {
  using C = Comparison<TypeParam>;
  C::agrees("flat", InfixTuning{.length = 4});
  C::agrees("positions kept", InfixTuning{.length = 4, .positions = PositionPolicy::keep});
  C::agrees_with_gradients("layers 1 and 2, MLP",
                           InfixTuning{.length = 3, .reparametrization = Mlp{.hidden = 6}, .layers = {1, 2}});
}

TYPED_TEST_P(PlainReference, VirtualTokens) {
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

TYPED_TEST_P(PlainReference, Adapter) {
  using C = Comparison<TypeParam>;
  C::agrees("between layers", BottleneckAdapter{.bottleneck = 3});
  C::agrees("pfeiffer, ReLU",
            BottleneckAdapter{
                .bottleneck = 3, .placement = AdapterPlacement::pfeiffer, .activation = graft::Activation::relu});
  C::agrees_with_gradients("houlsby", BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::houlsby});
}

TYPED_TEST_P(PlainReference, LoraTargets) {
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

TYPED_TEST_P(PlainReference, Scales) {
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

TYPED_TEST_P(PlainReference, PromptEncoders) {
  using C = Comparison<TypeParam>;
  C::agrees_with_gradients("MLP", PTuning{.length = 4, .hidden = 5});
  C::agrees_with_gradients("LSTM", PTuning{.length = 3, .encoder = PromptEncoderKind::lstm, .hidden = 2, .layers = 2});
  C::agrees("LSTM of one layer, one token", PTuning{.length = 1, .encoder = PromptEncoderKind::lstm, .layers = 1});
  C::agrees("rows that the model does not read",
            PTuning{.length = 3, .encoder = PromptEncoderKind::lstm, .hidden = 3, .submodules = 2});
  C::agrees("flat", PTuning{.length = 4, .flat = true});
  C::agrees_with_gradients("with LoRA", compose(PTuning{.length = 2, .hidden = 3}, LoRA{.rank = 1}));
}

TYPED_TEST_P(PlainReference, Parallel) {
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

TYPED_TEST_P(PlainReference, PrefixAndLoRA) {
  Comparison<TypeParam>::agrees_with_gradients("prefix and LoRA",
                                               compose(PrefixTuning{.length = 2, .layers = {1}}, LoRA{.rank = 2}));
}

TYPED_TEST_P(PlainReference, PromptAndPrefix) {
  Comparison<TypeParam>::agrees_with_gradients("prompt and prefix",
                                               compose(PromptTuning{.length = 3}, PrefixTuning{.length = 2}));
}

TYPED_TEST_P(PlainReference, PrefixInfixAndAdapter) {
  Comparison<TypeParam>::agrees_with_gradients(
      "prefix, infix and adapter",
      compose(PrefixTuning{.length = 2}, InfixTuning{.length = 3, .layers = {0, 1}},
              BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::pfeiffer}));
}

TYPED_TEST_P(PlainReference, InfixTokensAndKeysAndTopLayers) {
  auto const settings = compose(EmbeddingOnly{.length = 2, .place = Place::infix}, InfixTuning{.length = 3},
                                TopLayers{.layers = 1, .head = true});
  Comparison<TypeParam>::agrees_with_gradients("infix tokens, infix keys, top layer and head", settings);
}

TYPED_TEST_P(PlainReference, TrainedWeights) {
  using C = Comparison<TypeParam>;
  C::gradients_of_plain_loss("full", FullFineTuning{});
  C::agrees("top layers", TopLayers{.layers = 2, .head = true});
  if constexpr (TypeParam::fused_attention) C::gradients_of_plain_loss("bitfit", BitFit{});  // LLaMA has no biases
}

TYPED_TEST_P(PlainReference, GradientsOfThePlainLoss) {
  using C = Comparison<TypeParam>;
  C::gradients_of_plain_loss("prefix, MLP", PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 5}});
  C::gradients_of_plain_loss("infix", InfixTuning{.length = 2});
  C::gradients_of_plain_loss("prompt", PromptTuning{.length = 3});
  C::gradients_of_plain_loss("LoRA", LoRA{.rank = 2});
  C::gradients_of_plain_loss("(IA)³", IA3{});
  C::gradients_of_plain_loss("P-tuning", PTuning{.length = 2, .hidden = 3});
  C::gradients_of_plain_loss("houlsby", BottleneckAdapter{.bottleneck = 2, .placement = AdapterPlacement::houlsby});
  C::gradients_of_plain_loss("parallel", ParallelAdapter{.bottleneck = 2, .activation = graft::Activation::gelu});
}

REGISTER_TYPED_TEST_SUITE_P(PlainReference, Base, Prefix, Infix, VirtualTokens, Adapter, LoraTargets, Scales,
                            PromptEncoders, Parallel, PrefixAndLoRA, PromptAndPrefix, PrefixInfixAndAdapter,
                            InfixTokensAndKeysAndTopLayers, TrainedWeights, GradientsOfThePlainLoss);

}  // namespace reference
