// minGPT's gpt-nano, trained to sort six letters: a published GPT-2 whose activations are recorded
// (data/gpt2_nano_sort).
#include <graft/adaptation/none.hpp>
#include <graft/generate/generate.hpp>
#include <graft/io/json.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "reference_data.hpp"
#include "support/worst.hpp"

namespace {

using graft::Index, graft::Shape, graft::Token;

std::vector<unsigned char> from_base64(std::string const& text) {
  std::string const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<unsigned char> bytes;
  unsigned buffer = 0, bits = 0;
  for (char const c : text) {
    auto const value = alphabet.find(c);
    if (value == std::string::npos) break;
    buffer = (buffer << 6 | static_cast<unsigned>(value)) & 0xffffU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<unsigned char>(buffer >> bits));
  }
  return bytes;
}

/// {"shape": […], "data": little-endian float32 in base64}
graft::Tensor<float> tensor_of(nlohmann::json const& json) {
  graft::Tensor<float> tensor{Shape(json.at("shape").get<std::vector<Index>>())};
  auto const bytes = from_base64(json.at("data").get<std::string>());
  if (bytes.size() != static_cast<std::size_t>(tensor.size()) * sizeof(float))
    graft::fail("got ", bytes.size(), " bytes for shape ", tensor.shape());
  std::memcpy(tensor.data(), bytes.data(), bytes.size());
  return tensor;
}

graft::Base<graft::Gpt2, float> nano(nlohmann::json const& json) {
  auto const& dimensions = json.at("config");
  graft::ModelConfig config;
  config.architecture = "gpt2";
  config.vocabulary = dimensions.at("vocab_size");
  config.width = dimensions.at("n_embd");
  config.layers = dimensions.at("n_layer");
  config.heads = config.kv_heads = dimensions.at("n_head");
  config.head_dim = config.width / config.heads;
  config.inner = 4 * config.width;
  config.positions = dimensions.at("block_size");
  config.tied_head = false;
  auto base = std::make_shared<graft::Pretrained<graft::Gpt2, float>>(config);
  for (auto const& site : base->info().sites) {
    auto& weights = base->mutable_at(site.address);
    auto weight = tensor_of(json.at(site.name + ".weight"));
    if (site.role == graft::Role::norm)
      weights.gain = weight;
    else
      weights.matrix = {weight, graft::Layout::out_in};  // minGPT's linear maps are torch.nn.Linear
    if (site.bias) weights.bias = tensor_of(json.at(site.name + ".bias"));
  }
  return base;
}

class NanoSort : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = real::reference("GRAFT_DATA", "data") / "gpt2_nano_sort";
    GRAFT_NEEDS(folder_, "GRAFT_DATA");
  }
  [[nodiscard]] graft::Base<graft::Gpt2, float> base() const {
    return nano(graft::read_json(folder_ / "gpt-nano-sort-model.json"));
  }
  std::filesystem::path folder_;
};

TEST_F(NanoSort, LogitsAreThePublishedOnes) {
  auto const partials = graft::read_json(folder_ / "gpt-nano-sort-t0-partials.json");
  auto const ids = tensor_of(partials.at("idx")), expected = tensor_of(partials.at("lm_head"));
  graft::Batch batch;
  for (Index r = 0; r < ids.rows(); ++r)
    graft::append_causal_row(
        batch, {std::vector<Token>(ids.row(r), ids.row(r) + ids.width()), {}, static_cast<std::uint64_t>(r)});
  for (Index i = 0; i < batch.rows.tokens(); ++i) batch.rows.targets.at.push_back(i);
  auto model = graft::adapt(base(), graft::NoAdaptation{});
  auto const logits = model.logits(batch).value();
  ASSERT_EQ(logits.size(), expected.size());
  double worst = 0, largest = 0;
  for (Index i = 0; i < logits.size(); ++i) {
    worst = graft::testing::worse(
        worst, std::abs(static_cast<double>(logits.data()[i]) - static_cast<double>(expected.data()[i])));
    largest = std::max(largest, std::abs(static_cast<double>(expected.data()[i])));
  }
  EXPECT_LE(worst, 1e-5);
  EXPECT_GT(largest, 1);
}

TEST_F(NanoSort, Sorts) {
  auto model = graft::adapt(base(), graft::NoAdaptation{});
  std::vector<std::vector<Token>> prompts;
  for (int number = 0; number < 729; ++number) {
    std::vector<Token> letters;
    for (int place = 0, rest = number; place < 6; ++place, rest /= 3) letters.push_back(static_cast<Token>(rest % 3));
    prompts.push_back(letters);
  }
  auto const texts = graft::generate(model, prompts, graft::Greedy{.max_new_tokens = 6});
  int sorted = 0;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    auto expected = prompts[p];
    std::sort(expected.begin(), expected.end());
    sorted += texts[p][0].tokens == expected;
  }
  EXPECT_GE(sorted, 722) << "of 729";
}

}  // namespace
