// Merging: the same model with the adapter in its weights.
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/models/merge.hpp>

#include "generate/random_model.hpp"
#include "support/worst.hpp"

namespace {

using namespace graft;
using graft::testing::disturb;
using graft::testing::random_base;

Batch small_batch() { return pack({{{3, 1, 4, 1, 5}, {9, 2, 6}, 0}, {{5, 3}, {5, 8, 9, 7}, 1}}); }

template <class Model>
auto logits_of(Model& model) {
  NoGrad no_grad;
  return model.logits(small_batch()).value();
}

/// max|a − b| / max|b|
template <class S>
double difference(Tensor<S> const& a, Tensor<S> const& b) {
  double worst = 0, largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    worst = graft::testing::worse(worst, std::abs(static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i])));
    largest = std::max(largest, std::abs(static_cast<double>(b.data()[i])));
  }
  return worst / largest;
}

template <class S>
bool same_bits(Tensor<S> const& a, Tensor<S> const& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(S)) == 0;
}

/// The double base in float.
template <Architecture A>
Base<A, float> float_base() {
  auto const wide = random_base<A>();
  auto base = std::make_shared<Pretrained<A, float>>(wide->config());
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto const& from = wide->at(site.address);
    auto& to = base->mutable_at(site.address);
    if (!from.matrix.empty()) to.matrix = FrozenMatrix<float>(cast<float>(from.matrix.dense()), site.layout);
    if (!from.gain.empty()) to.gain = cast<float>(from.gain);
    if (!from.bias.empty()) to.bias = cast<float>(from.bias);
  }
  return base;
}

template <Architecture A, class S, class Adaptation>
void check_merged(Base<A, S> const& base, Adaptation const& settings, double bound) {
  auto model = adapt(base, settings, 5);
  for (auto* parameter : model.parameters()) {  // as after training
    auto value = parameter->mutable_value();
    auto const noise = normal<S>(value.shape(), RandomKey(9).with(parameter->name()), 0.2);
    for (Index i = 0; i < value.size(); ++i) value.data()[i] += noise.data()[i];
  }
  auto plain = adapt(base, NoAdaptation{});
  auto const before = logits_of(plain), adapted = logits_of(model);
  EXPECT_GT(difference(adapted, before), 1e-2) << "the adapter does something";
  auto const merged = merge(model);
  auto merged_model = adapt(merged, NoAdaptation{});
  EXPECT_LE(difference(logits_of(merged_model), adapted), bound);
  EXPECT_TRUE(same_bits(logits_of(plain), before)) << "the base is untouched";
  EXPECT_TRUE(same_bits(logits_of(model), adapted)) << "and so is the model";
  auto const again = merge(model);
  auto again_model = adapt(again, NoAdaptation{});
  EXPECT_TRUE(same_bits(logits_of(again_model), logits_of(merged_model))) << "merged twice";
}

void const* address(Base<Gpt2, double> const& base, SiteAddress const& site) {
  return base->at(site).matrix.storage()->address();
}

}  // namespace

TEST(Merge, LoRAInDouble) {
  check_merged<Gpt2, double>(random_base<Gpt2>(), LoRA{.rank = 3, .alpha = 5, .targets = {"c_attn", "c_proj", "c_fc"}},
                             1e-12);
  check_merged<Llama, double>(
      random_base<Llama>(),
      LoRA{.rank = 3, .alpha = 5, .targets = {"q_proj", "v_proj", "o_proj", "down_proj"}, .rank_stabilized = true},
      1e-12);
}

TEST(Merge, LoRAInFloat) {
  check_merged<Gpt2, float>(float_base<Gpt2>(), LoRA{.rank = 3, .alpha = 5}, 1e-5);
  check_merged<Llama, float>(float_base<Llama>(), LoRA{.rank = 3, .alpha = 5}, 1e-5);
}

TEST(Merge, Scales) {
  check_merged<Gpt2, double>(random_base<Gpt2>(), IA3{}, 1e-12);
  check_merged<Llama, double>(random_base<Llama>(), IA3{}, 1e-12);
  check_merged<Gpt2, float>(float_base<Gpt2>(), IA3{}, 1e-5);
  check_merged<Gpt2, double>(random_base<Gpt2>(),
                             IA3{.targets = {"attn.c_proj", "c_fc"}, .feed_forward_targets = {"c_attn", "mlp.c_proj"}},
                             1e-12);
  check_merged<Llama, double>(random_base<Llama>(),
                              IA3{.targets = {"o_proj"}, .feed_forward_targets = {"gate_proj", "q_proj"}}, 1e-12);
}

TEST(Merge, ScalesInTheirOrder) {
  LoRA const lora{.rank = 2, .targets = {"c_attn", "mlp.c_proj"}};
  check_merged<Gpt2, double>(random_base<Gpt2>(), compose(lora, IA3{}), 1e-12);
  check_merged<Gpt2, double>(random_base<Gpt2>(), compose(IA3{}, lora), 1e-12);
  check_merged<Gpt2, double>(random_base<Gpt2>(), compose(IA3{}, BitFit{}, IA3{.targets = {"c_attn"}}), 1e-12);
}

TEST(Merge, TrainedWeights) {
  check_merged<Gpt2, double>(random_base<Gpt2>(), TopLayers{.layers = 2, .head = true}, 1e-12);
  check_merged<Gpt2, double>(random_base<Gpt2>(), compose(BitFit{}, LoRA{.rank = 2}), 1e-12);
}

TEST(Merge, SharesWhatDoesNotChange) {
  auto const base = random_base<Gpt2>();
  auto const merged = merge(adapt(base, LoRA{.rank = 2, .targets = {"c_attn"}}));
  SiteAddress const target{Site::query_key_value, {Stack::decoder, 1}};
  EXPECT_NE(address(merged, target), address(base, target));
  for (SiteAddress const site :
       {SiteAddress{Site::token_embedding}, SiteAddress{Site::feed_forward_up, {Stack::decoder, 1}}})
    EXPECT_EQ(address(merged, site), address(base, site));
}

TEST(Merge, WorksWhileDisabled) {
  auto const base = random_base<Gpt2>();
  auto model = adapt(base, LoRA{.rank = 2});
  disturb(model);
  auto const adapted = logits_of(model);
  model.enable(false);
  auto merged = adapt(merge(model), NoAdaptation{});
  EXPECT_LE(difference(logits_of(merged), adapted), 1e-12);
}

TEST(Merge, RefusesNanAndInfinity) {
  auto const base = random_base<Gpt2>();
  for (double const bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    auto model = adapt(base, LoRA{.rank = 2});
    disturb(model);
    model.parameters().back()->mutable_value().data()[1] = bad;
    try {
      (void)merge(model);
      ADD_FAILURE() << "merged " << bad;
    } catch (NumericError const& error) {
      EXPECT_NE(std::string(error.what()).find("c_attn"), std::string::npos) << error.what();
    }
  }
}
