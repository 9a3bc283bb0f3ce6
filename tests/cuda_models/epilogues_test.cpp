// Models whose feed-forward sublayers go on to their activation in the kernels of the products: float64's gradients of
// the host, and how many of the products do. A strategy that changes one of the two products has the sublayer apart.
#include <map>
#include <vector>

#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/t5.hpp>
#include <graft/models/to_device.hpp>
#include <graft/train/loss.hpp>

#include "cublasLt.h"
#include "cuda/device_testing.hpp"
#include "model/small_model.hpp"

namespace {

using namespace graft;
using graft::testing::relative_difference;
using Counts = std::map<cublasLtEpilogue_t, int>;

template <Architecture A>
ModelConfig two_layers(Activation f) {
  auto config = small::config<A>();
  config.layers = 2;
  config.inner = 24;
  config.activation = f;
  return config;
}

/// The gradients of a strategy's parameters; `epilogues` gets the activations among the products' epilogues.
template <class P, class A, class Scalar, class Device, class Strategy>
std::vector<Tensor<double>> gradients(Base<A, Scalar, Device> const& base, Strategy const& strategy,
                                      Counts* epilogues = nullptr, bool recompute = false) {
  auto model = adapt<P>(base, strategy);
  Batch batch = model.pack(small::examples());
  batch.rows.recompute = recompute;
  emulator::epilogues.clear();
  backward(token_loss(model.scores(batch), batch.rows.targets, target_weight(batch.rows.targets)));
  if (epilogues) *epilogues = emulator::epilogues, epilogues->erase(CUBLASLT_EPILOGUE_BIAS);
  std::vector<Tensor<double>> all;
  for (auto const* p : model.parameters()) all.push_back(cast<double>(to_device<Cpu>(p->gradient())));
  return all;
}

void expect_near(std::vector<Tensor<double>> const& got, std::vector<Tensor<double>> const& expected,
                 double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_LE(relative_difference(got[i], expected[i]), tolerance) << i;
}

template <class A, class Strategy>
void expect_fused(Activation f, Strategy const& strategy, Counts const& wanted) {
  auto const config = two_layers<A>(f);
  auto const expected = gradients<Double>(small::base<A, double>(3, config), strategy);
  auto const host = small::base<A, float>(3, config);
  Counts counts;
  auto const wide = to_device<Cuda>(host);
  auto const once = gradients<Float32>(wide, strategy, &counts);
  expect_near(once, expected, 1e-5);
  EXPECT_EQ(counts, wanted);
  expect_near(gradients<Float32>(wide, strategy, nullptr, true), once, 0);
  auto const narrow = gradients<Bfloat16>(to_device<Cuda, bfloat16>(host), strategy, &counts),
             of_host =
                 gradients<Bfloat16>(host, strategy);  // T5's attention, which is not scaled, makes much of roundings
  for (std::size_t i = 0; i < narrow.size(); ++i)
    EXPECT_LE(relative_difference(narrow[i], expected[i]), 0.02 + 3 * relative_difference(of_host[i], expected[i]))
        << i;
  EXPECT_EQ(counts, wanted) << "in bfloat16";
}

TEST(Epilogues, AreOfSublayersThatTheStrategyLeavesAlone) {
  expect_fused<Gpt2>(Activation::gelu_tanh, InfixTuning{.length = 2},
                     {{CUBLASLT_EPILOGUE_GELU_AUX_BIAS, 2}, {CUBLASLT_EPILOGUE_DGELU, 2}});
  expect_fused<Gpt2>(Activation::gelu_tanh, LoRA{.rank = 2},
                     {{CUBLASLT_EPILOGUE_GELU_AUX_BIAS, 2}, {CUBLASLT_EPILOGUE_DGELU, 2}});
  expect_fused<Gpt2>(Activation::gelu, InfixTuning{.length = 2}, {});
  expect_fused<Gpt2>(Activation::gelu_tanh, LoRA{.rank = 2, .targets = {"c_attn", "c_proj"}}, {});
  expect_fused<Gpt2>(Activation::gelu_tanh, LoRA{.rank = 2, .targets = {"c_attn", "c_fc"}}, {});
  // two layers of the encoder and two of the decoder, without biases
  expect_fused<T5>(Activation::relu, PrefixTuning{.length = 2}, {{CUBLASLT_EPILOGUE_RELU, 4}});
}

}  // namespace
