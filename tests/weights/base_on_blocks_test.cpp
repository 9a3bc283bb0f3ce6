#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/io/gguf_types.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/dense_weights.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/merge.hpp>
#include <graft/train/trainer.hpp>

#include "../io/file_builders.hpp"
#include "../io/temporary_folder.hpp"

namespace {

using namespace graft;
using namespace graft_test;

/// The tiny LLaMA with a width of 32 and 32 hidden units, its matrices in Q8_0 or Q4_1 with small scales.
std::string quantized_llama(GgmlType type) {
  auto spec = tiny_llama();
  spec.set(gguf_u32("llama.embedding_length", 32));
  spec.set(gguf_u32("llama.feed_forward_length", 32));
  RandomKey const key(5);
  std::uint64_t drawn = 0;
  for (auto& tensor : spec.tensors) {
    bool const vocabulary = tensor.name == "token_embd.weight", matrix = tensor.extents.size() == 2;
    tensor.extents[0] = 32;
    if (!matrix) {
      tensor.data = float_bytes(32, 0.5F);
      continue;
    }
    if (!vocabulary) tensor.extents[1] = tensor.extents[1] == 2 ? 16 : 32;
    tensor.type = static_cast<std::uint32_t>(type);
    tensor.data.clear();
    for (std::uint64_t row = 0; row < tensor.extents[1]; ++row) {
      tensor.data += type == GgmlType::q8_0 ? bytes_of(half(0.003F)) : bytes_of(half(0.05F)) + bytes_of(half(-0.4F));
      for (int i = 0; i < (type == GgmlType::q8_0 ? 32 : 16); ++i)
        tensor.data += static_cast<char>(static_cast<unsigned char>(256 * key.uniform(drawn++)));
    }
  }
  return spec.bytes();
}

std::vector<TokenizedExample> const examples{{{0, 1, 0}, {1, 0}, 0}, {{1, 1}, {0, 1, 1}, 1}};

template <class Strategy, class Base>
std::vector<double> losses(Base const& base, Strategy strategy) {
  auto model = adapt(base, std::move(strategy));
  std::vector<double> seen;
  // ε is large: a gradient that is zero but for rounding would else move a parameter by a whole step
  Training settings{.steps = 5, .batch = 2, .learning_rate = 1e-2, .epsilon = 2e-5, .progress = false};
  settings.on_step = [&](StepReport const& step) { seen.push_back(step.loss); };
  Trainer(settings).fit(model, examples);
  return seen;
}

template <class Strategy, class Base>
void expect_same_training(Base const& blocks, Base const& wide, Strategy const& strategy) {
  auto const got = losses(blocks, strategy), expected = losses(wide, strategy);
  ASSERT_EQ(got.size(), 5U);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-5) << Strategy::name;
  EXPECT_NE(got.front(), got.back());
}

class BaseOnBlocks : public testing::TestWithParam<GgmlType> {};

TEST_P(BaseOnBlocks, TrainsMergesAndHashesAsTheWidenedOne) {
  TemporaryFolder const folder;
  auto const blocks = load_pretrained<Llama>(folder.put("a.gguf", quantized_llama(GetParam())));
  auto const wide = with_dense_weights(blocks);
  SiteAddress const address{Site::token_embedding};
  EXPECT_EQ(blocks->at(address).matrix.storage()->name(), ggml_type_name(static_cast<std::uint32_t>(GetParam())));
  EXPECT_EQ(wide->at(address).matrix.storage()->name(), "float32");
  EXPECT_EQ(blocks->weights_hash(), wide->weights_hash());
  auto const checkpoint = open_checkpoint(folder.put("b.gguf", quantized_llama(GetParam())));
  for (std::string const part : {"q", "k", "v", "o"}) {  // q and k lie in another order in the file
    std::string const name = "model.layers.0.self_attn." + part + "_proj.weight";
    for (auto const& site : blocks->info().sites) {
      if (site.name + ".weight" != name) continue;
      auto const dense = blocks->at(site.address).matrix.dense();
      std::vector<float> read(static_cast<std::size_t>(dense.size()));
      checkpoint->read(name, read.data());
      EXPECT_EQ(std::memcmp(dense.data(), read.data(), read.size() * sizeof(float)), 0) << name;
    }
  }
  expect_same_training(blocks, wide, PrefixTuning{.length = 3, .init_deviation = 0.02});
  expect_same_training(blocks, wide, LoRA{});
  expect_same_training(blocks, wide, FullFineTuning{});
  auto const merged = merge(adapt(blocks, LoRA{})), other = merge(adapt(wide, LoRA{}));
  EXPECT_EQ(merged->weights_hash(), other->weights_hash());
}

INSTANTIATE_TEST_SUITE_P(Formats, BaseOnBlocks, testing::Values(GgmlType::q8_0, GgmlType::q4_1));

}  // namespace
