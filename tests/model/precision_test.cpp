// Models whose activations are bfloat16: decoders with the strategies that most people use.
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include "precision.hpp"

namespace {

using graft::Bfloat16, graft::Gpt2, graft::Llama, graft::LoRA, graft::PrefixTuning, graft::PromptTuning, graft::Shape;
using precision::expect_as_in_float32, precision::expect_generation_as_in_float32;

template <class A>
class Precision : public testing::Test {};
using Decoders = testing::Types<Gpt2, Llama>;
TYPED_TEST_SUITE(Precision, Decoders);

TYPED_TEST(Precision, Prefix) {
  expect_as_in_float32<TypeParam>(
      "prefix", PrefixTuning{.length = 3, .reparametrization = graft::Mlp{.hidden = 5}, .dropout = 0.1});
  expect_generation_as_in_float32<TypeParam>(
      PrefixTuning{.length = 3, .reparametrization = graft::Mlp{.hidden = 5}, .dropout = 0.1});
}
TYPED_TEST(Precision, Prompt) {
  expect_as_in_float32<TypeParam>("prompt", PromptTuning{.length = 3});
  expect_generation_as_in_float32<TypeParam>(PromptTuning{.length = 3});
}
TYPED_TEST(Precision, LowRank) {
  expect_as_in_float32<TypeParam>("LoRA", LoRA{.rank = 2, .dropout = 0.1});
  expect_generation_as_in_float32<TypeParam>(LoRA{.rank = 2, .dropout = 0.1});
}

TYPED_TEST(Precision, WithoutAnAdapterTheBaseIsTheSame) {
  auto const base = small::base<TypeParam, float>();
  auto plain = graft::adapt<Bfloat16>(base, graft::NoAdaptation{});
  auto prefix = graft::adapt<Bfloat16>(base, PrefixTuning{.length = 3}, 5);
  auto lora = graft::adapt<Bfloat16>(base, LoRA{.rank = 2}, 5);  // B starts at 0
  auto const batch = plain.pack(small::examples());
  auto const expected = precision::logits(plain, batch);
  prefix.enable(false);
  EXPECT_TRUE(precision::same_bits(precision::logits(prefix, batch), expected));
  EXPECT_TRUE(precision::same_bits(precision::logits(lora, batch), expected)) << "casts there and back change nothing";
}

TYPED_TEST(Precision, OneAdapterInTwoPrecisions) {
  auto wide = graft::adapt(small::base<TypeParam, float>(), PrefixTuning{.length = 3}, 5);
  auto narrow = graft::with_precision<Bfloat16>(wide);
  EXPECT_EQ(wide.base(), narrow.base());
  auto const batch = wide.pack(small::examples());
  auto const before = precision::logits(wide, batch);
  (void)precision::losses(narrow, batch, 3, 1e-2);
  EXPECT_GT(precision::relative(precision::logits(wide, batch), before), 1e-3) << "trained in bfloat16";
  auto back = graft::with_precision<graft::Float32>(narrow);
  static_assert(std::is_same_v<decltype(back), decltype(wide)>);
  EXPECT_TRUE(precision::same_bits(precision::logits(back, batch), precision::logits(wide, batch)));
}

/// Frozen weights stay in their storage, whatever the activations are.
TYPED_TEST(Precision, NarrowWeights) {
  auto base = std::make_shared<graft::Pretrained<TypeParam, float>>(*precision::base<TypeParam>());
  for (auto const& site : base->info().sites) {
    auto& matrix = base->mutable_at(site.address).matrix;
    if (!site.tied && !matrix.empty()) matrix = {graft::cast<graft::bfloat16>(matrix.dense()), matrix.layout()};
  }
  expect_as_in_float32<TypeParam>("LoRA on bfloat16 weights", LoRA{.rank = 2}, graft::Base<TypeParam>(base));
}

/// What the reverse pass keeps of the layers takes half of the bytes; logits and a number or two a row stay float32.
TEST(PrecisionMemory, KeptActivationsTakeHalf) {
  auto config = small::config<Llama>();
  config.width = 192, config.heads = config.kv_heads = 8, config.head_dim = 24, config.inner = 256, config.layers = 6;
  config.inverse_frequency = graft::rotary_frequencies(config.head_dim, 50.0);
  auto const base = small::base<Llama, float>(3, config, 0.05);
  auto const kept = [&](auto model) {
    graft::TokenizedExample example{.source = {1, 2, 3}, .target = std::vector<graft::Token>(30, 4), .id = 1};
    auto const batch = model.pack(std::vector<graft::TokenizedExample>(8, example));
    std::size_t bytes = 0;
    for (int k = 0; k < 2; ++k) {  // the first makes tables that stay
      std::size_t const before = graft::HostPool::global().used();
      auto const loss = small::loss(model, batch);
      bytes = graft::HostPool::global().used() - before;
      graft::Tape::current().discard();
    }
    return static_cast<double>(bytes);
  };
  PrefixTuning const settings{.length = 3};
  double const wide = kept(graft::adapt(base, settings, 5)), narrow = kept(graft::adapt<Bfloat16>(base, settings, 5));
  EXPECT_GT(wide, 1e6);
  EXPECT_LT(narrow, 0.6 * wide);
}

}  // namespace
