// Settings and batches that cannot be: one clear sentence each, and the model works afterwards.
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include <cmath>
#include <limits>

#include "invariants.hpp"
#include "support/refusals.hpp"

namespace {

using graft::BottleneckAdapter, graft::EmbeddingOnly, graft::IA3, graft::InfixTuning, graft::Init, graft::LoRA,
    graft::Mlp, graft::PrefixTuning, graft::PromptTuning, graft::TopLayers;
using graft::Index;
using graft::testing::message_of;

template <class Settings>
std::string refusal(Settings const& settings) {
  static auto const base = small::base<graft::Llama, float>();
  return message_of<graft::ConfigError>([&] { (void)graft::adapt(base, settings); });
}

TEST(Settings, OfImpossibleSizes) {
  Index const huge = Index{1} << 40, most = (Index{1} << 31) - 1;
  EXPECT_EQ(refusal(PrefixTuning{.length = huge}),
            "[prefix_tuning] got length 1099511627776; expected at most 2147483647");
  EXPECT_EQ(refusal(LoRA{.rank = std::numeric_limits<Index>::max()}),
            "[lora] got rank 9223372036854775807; expected at most 2147483647");
  EXPECT_EQ(refusal(PrefixTuning{.reparametrization = Mlp{.hidden = huge}}),
            "[prefix_tuning] got hidden 1099511627776; expected at most 2147483647");
  EXPECT_EQ(refusal(graft::compose(PrefixTuning{.length = 2}, LoRA{.rank = huge})),
            "[lora] got rank 1099511627776; expected at most 2147483647");
  EXPECT_EQ(refusal(LoRA{.alpha = std::nan("")}), "[lora] got alpha nan; expected a finite number");
  EXPECT_EQ(refusal(PromptTuning{.init = Init::normal, .init_deviation = INFINITY}),
            "[prompt_tuning] got init_deviation inf; expected a finite number");
  EXPECT_EQ(refusal(BottleneckAdapter{.share = 1.5}), "[bottleneck_adapter] got share 1.5; expected 0 to 1");
  EXPECT_NE(refusal(PromptTuning{.length = most}).find("[virtual tokens] length 2147483647 needs"), std::string::npos);
  EXPECT_NE(refusal(PrefixTuning{.length = most}).find("GiB of memory; expected at most"), std::string::npos);
  static auto const base = small::base<graft::Llama, float>();
  EXPECT_NE(
      message_of<graft::Error>([&] { (void)graft::adapt(base, LoRA{.rank = most}); }).find("[memory] out of memory"),
      std::string::npos);
}

TEST(Configuration, OfImpossibleSizes) {
  auto const refused = [](auto change) {
    graft::ModelConfig config = small::base<graft::Llama, float>()->config();
    change(config);
    return message_of<graft::ConfigError>([&] { (void)graft::describe_model<graft::Llama>(config); });
  };
  EXPECT_EQ(refused([](auto& config) { config.layers = 2147483647; }),
            "[model] got a configuration of 2147483647 layers; expected at most 100000");
  EXPECT_NE(refused([](auto& config) {
              config.heads = config.head_dim = 2147483647;
            }).find("2147483647 heads of width 2147483647"),
            std::string::npos);
  EXPECT_NE(
      refused([](auto& config) { config.width = config.vocabulary = 2147483647; }).find("more than 1e+15 parameters"),
      std::string::npos);
}

TEST(Settings, OfVirtualKeys) {
  EXPECT_EQ(refusal(PrefixTuning{.length = 0}), "[virtual keys] got length 0; expected at least 1");
  EXPECT_EQ(refusal(InfixTuning{.length = -3}), "[virtual keys] got length -3; expected at least 1");
  EXPECT_EQ(refusal(PrefixTuning{.layers = {0, 3}}), "[virtual keys] got layer 3; expected 0 to 2");
  EXPECT_EQ(refusal(PrefixTuning{.layers = {1, 0, 1}}), "[virtual keys] got layer 1 twice; expected each once");
  EXPECT_EQ(refusal(PrefixTuning{.init = Init::words}),
            "[virtual keys] got no words; expected at least one token in init_words for init words");
  EXPECT_EQ(refusal(PrefixTuning{.init = Init::vocabulary}),
            "[virtual keys] got init vocabulary; expected normal, uniform or words; hint: words with sampled tokens");
  EXPECT_EQ(refusal(PrefixTuning{.dropout = 1.0}), "[virtual keys] got dropout 1; expected 0 or more, and less than 1");
  EXPECT_EQ(refusal(PrefixTuning{.reparametrization = Mlp{.hidden = 0}}),
            "[reparametrization] got hidden width 0 and input width 0; expected a hidden width of at least 1, and an "
            "input width of at least 1 or 0 for the matrix's own");
}

TEST(Settings, OfVirtualTokens) {
  EXPECT_EQ(refusal(PromptTuning{.length = 0}), "[virtual tokens] got length 0; expected at least 1");
  EXPECT_EQ(refusal(PromptTuning{.side = graft::Side::both}),
            "[virtual tokens] got both sides in a model of one stack; expected source or target");
  EXPECT_EQ(refusal(EmbeddingOnly{.length = 0}), "[virtual tokens] got length 0; expected at least 1");
  EXPECT_EQ(refusal(PromptTuning{.length = 3, .init = Init::words}),
            "[init] got no words; expected at least one to start 3 virtual tokens from; hint: give init_words or "
            "another init");
  EXPECT_EQ(refusal(PromptTuning{.length = 3, .init = Init::words, .init_words = {{4}, {}}}),
            "[init] got word 1 without tokens; expected at least one token");
  EXPECT_EQ(message_of<graft::Error>([] {
              (void)graft::adapt(small::base<graft::Gpt2, float>(),
                                 PromptTuning{.init = Init::words, .init_words = {{4, 31}}});
            }),
            "[init] got token 31; expected 0 to 30");
}

TEST(Settings, OfLora) {
  EXPECT_EQ(refusal(LoRA{.rank = 0}), "[lora] got rank 0; expected at least 1");
  EXPECT_EQ(refusal(LoRA{.targets = {"c_attn"}}),
            "[lora] got the target c_attn, which names no module of this llama model; expected some of q_proj, k_proj, "
            "v_proj, o_proj, gate_proj, up_proj, down_proj");
  EXPECT_NE(refusal(LoRA{.targets = {"q_proj", "k_prj"}}).find("got the target k_prj, which names no module"),
            std::string::npos)
      << "beside one that matches";
  EXPECT_NE(refusal(LoRA{.targets = {"q_proj", "lm_head"}}).find("got the target lm_head, which is the head"),
            std::string::npos);
  EXPECT_NE(refusal(LoRA{.targets = {"embed_tokens"}}).find("got the target embed_tokens, which is an embedding"),
            std::string::npos);
  EXPECT_NE(
      refusal(IA3{.targets = {"k_proj"}, .feed_forward_targets = {"down_prj"}}).find("[ia3] got the target down_prj"),
      std::string::npos);
  EXPECT_EQ(refusal(LoRA{.dropout = -0.1}), "[lora] got dropout -0.1; expected 0 or more, and less than 1");
}

TEST(Settings, OfAdaptersAndLayers) {
  EXPECT_EQ(refusal(BottleneckAdapter{.bottleneck = 0}), "[bottleneck_adapter] got bottleneck 0; expected at least 1");
  EXPECT_NE(refusal(BottleneckAdapter{.share = 1e-6})
                .find("got share 1e-06; expected enough for a bottleneck of 1, a share of at least 0."),
            std::string::npos);
  EXPECT_EQ(refusal(TopLayers{.layers = 0}), "[top_layers] got 0 layers; expected 1 to 3");
  EXPECT_EQ(refusal(TopLayers{.layers = 4}), "[top_layers] got 4 layers; expected 1 to 3");
}

template <class A>
class Batches : public testing::Test {};
using Architectures = testing::Types<graft::Gpt2, graft::Llama>;
TYPED_TEST_SUITE(Batches, Architectures);

TYPED_TEST(Batches, ThatCannotBe) {
  auto model = graft::adapt(small::base<TypeParam, float>(), PromptTuning{.length = 6});
  auto const good = graft::pack(small::examples());
  auto const refused = [&](graft::Batch const& batch) {
    return message_of<graft::Error>([&] { (void)model.scores(batch); });
  };

  auto bad = good;
  bad.tokens[5] = 31;
  EXPECT_EQ(refused(bad),
            "[transformer] got token 31 at place 5 of the batch; expected 0 to 30; hint: does the tokenizer belong to "
            "the model?");
  bad.tokens[5] = -1;
  EXPECT_EQ(refused(bad),
            "[transformer] got token -1 at place 5 of the batch; expected 0 to 30; hint: does the tokenizer belong to "
            "the model?");
  bad = good;
  bad.tokens.pop_back();
  EXPECT_EQ(refused(bad), graft::cat("[transformer] got ", good.tokens.size() - 1, " tokens; expected ",
                                     good.tokens.size(), " as the rows' offsets say"));
  bad = good;
  bad.rows.targets = {};
  EXPECT_EQ(refused(bad), "[scores] got a batch without targets; expected at least one target token");

  auto const row = [](std::size_t length) { return graft::pack({{std::vector<graft::Token>(length, 3), {4}, 0}}); };
  EXPECT_EQ(refused(row(35)),
            "[transformer] got a row that reaches position 40; expected at most 39, the model's last; hint: shorten "
            "the prompt, or the virtual tokens");
  graft::NoGrad no_grad;
  EXPECT_EQ(model.scores(row(34)).log_probability.value().size(), 1) << "as long as may be, and after all those errors";
  EXPECT_EQ(message_of<graft::Error>([] { (void)graft::pack({{{}, {1}, 12}}); }),
            "[pack] got an example (number 12) without source tokens; expected at least one; hint: a separator or a "
            "start token");
}

TEST(Disabled, HasNoGradients) {
  auto model = graft::adapt(small::base<graft::Gpt2, float>(), LoRA{.rank = 2});
  model.enable(false);
  auto const loss = small::loss(model, graft::pack(small::examples()));
  EXPECT_EQ(message_of<graft::Error>([&] { graft::backward(loss); }),
            "[backward] got a loss that depends on nothing trainable; expected a recorded computation; hint: is the "
            "adaptation disabled?");
}

}  // namespace
