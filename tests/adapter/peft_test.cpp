// Adapters that graft writes, loaded by PEFT itself: the same logits, and what is not PEFT's is refused.
#include <fstream>

#include <gtest/gtest.h>

#include <graft/adaptation/infix_tuning.hpp>
#include <graft/io/adapter.hpp>
#include <graft/models/combine.hpp>

#include "generate/random_model.hpp"
#include "io/temporary_folder.hpp"
#include "peft_python.hpp"

namespace {

using namespace graft;
namespace fs = std::filesystem;

using peft_python::entry_of;

nlohmann::json hugging_face_config(ModelConfig const& c) {
  if (c.architecture == "gpt2")
    return {{"model_type", "gpt2"},       {"vocab_size", c.vocabulary},
            {"n_embd", c.width},          {"n_layer", c.layers},
            {"n_head", c.heads},          {"n_inner", c.inner},
            {"n_positions", c.positions}, {"architectures", {"GPT2LMHeadModel"}},
            {"bos_token_id", 0},          {"eos_token_id", 0}};
  return {{"model_type", "llama"},
          {"vocab_size", c.vocabulary},
          {"hidden_size", c.width},
          {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads},
          {"num_key_value_heads", c.kv_heads},
          {"head_dim", c.head_dim},
          {"intermediate_size", c.inner},
          {"max_position_embeddings", c.positions},
          {"rms_norm_eps", c.norm_epsilon},
          {"rope_theta", 100.0},
          {"tie_word_embeddings", c.tied_head},
          {"architectures", {"LlamaForCausalLM"}},
          {"bos_token_id", 0},
          {"eos_token_id", 0}};
}

template <Architecture A>
void write_base(Base<A, double> const& base, fs::path const& folder) {
  fs::create_directories(folder);
  std::ofstream(folder / "config.json") << hugging_face_config(base->config()).dump(1);
  std::vector<Tensor<double>> kept;
  std::vector<TensorEntry> entries;
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    for (auto part : {Part::weight, Part::bias}) {
      auto tensor = copy_weight(*base, site.address, part);
      if (tensor.empty()) continue;
      kept.push_back(tensor);
      entries.push_back(entry_of(site.name + (part == Part::weight ? ".weight" : ".bias"), tensor));
    }
  }
  save_safetensors(folder / "model.safetensors", entries);
}

std::vector<Token> const tokens{3, 1, 4, 1, 5, 9, 2, 6};

/// An adapter as after training, its folder and the logits of every token.
template <Architecture A, class Adaptation>
void write_case(Base<A, double> const& base, fs::path const& folder, Adaptation const& settings,
                AdapterOptions options = {}) {
  auto model = adapt(base, settings, 3);
  graft::testing::disturb(model);
  options.base_model = "";
  save_adapter(model, folder, options);
  Batch batch = pack({{tokens, {}, 0}});
  for (Index i = 0; i < static_cast<Index>(tokens.size()); ++i) batch.rows.targets.at.push_back(i);
  NoGrad no_grad;
  save_safetensors(adapter_path(folder, options.name) / "logits.safetensors",
                   {entry_of("logits", model.logits(batch).value())});
}

/// Two adapters and their weighted sum.
template <class Adaptation, Architecture A>
void write_sum(Base<A, double> const& base, fs::path const& folder, Adaptation const& red, Adaptation const& blue,
               CombineSettings const& how) {
  AdapterSet<Transformer<A, Adaptation, double, Cpu>> set;
  for (auto const& [name, settings] : {std::pair{"red", red}, std::pair{"blue", blue}}) {
    auto model = adapt(base, settings, 3);
    graft::testing::disturb(model, static_cast<unsigned char>(name[0]));
    set.add(name, model);
  }
  set.add("sum", combine(set, {{"red", 0.7}, {"blue", -0.3}}, how));
  save_adapters(set, folder, "");
}

template <Architecture A>
void write_architecture(fs::path const& root, std::vector<std::string> const& every_linear_map) {
  auto const base = graft::testing::random_base<A>();
  fs::path const folder = root / std::string(A::model_type);
  write_base(base, folder / "model");
  write_case(base, folder / "accepted" / "prefix", PrefixTuning{.length = 3});
  write_case(base, folder / "accepted" / "prefix_mlp",
             PrefixTuning{.length = 3, .reparametrization = Mlp{.hidden = 5, .input = 7}});
  write_case(base, folder / "accepted" / "prompt", PromptTuning{.length = 4});
  write_case(base, folder / "accepted" / "lora", LoRA{.rank = 2});
  write_case(base, folder / "accepted" / "lora_everywhere",
             LoRA{.rank = 3, .alpha = 7, .targets = every_linear_map, .rank_stabilized = true});
  write_case(base, folder / "accepted" / "lora_named", LoRA{.rank = 2, .alpha = 3}, {.name = "blue"});
  write_case(base, folder / "accepted" / "ia3", IA3{});
  write_case(
      base, folder / "accepted" / "ia3_everywhere",
      IA3{.targets = every_linear_map, .feed_forward_targets = {every_linear_map.back(), every_linear_map.front()}});
  write_case(base, folder / "accepted" / "p_tuning_mlp", PTuning{.length = 3, .hidden = 5});
  write_case(base, folder / "accepted" / "p_tuning_lstm",
             PTuning{.length = 4, .encoder = PromptEncoderKind::lstm, .hidden = 3, .layers = 1});
  LoRA const red{.rank = 2, .alpha = 5},
      blue{.rank = 3, .alpha = 7, .targets = every_linear_map, .rank_stabilized = true};
  write_sum(base, folder / "combined" / "cat", red, blue, {.combination = Combination::cat});
  write_sum(base, folder / "combined" / "svd", red, blue, {.combination = Combination::svd});
  write_sum(base, folder / "combined" / "linear", red, LoRA{.rank = 2, .alpha = 3, .targets = every_linear_map},
            {.combination = Combination::linear});
  write_sum(base, folder / "combined" / "ia3", IA3{}, IA3{}, {});
  write_case(base, folder / "refused" / "parallel_adapter", ParallelAdapter{.bottleneck = 2});
  write_case(base, folder / "refused" / "infix", InfixTuning{.length = 3});
  write_case(base, folder / "refused" / "prefix_of_top_layers", PrefixTuning{.length = 3, .layers = {1, 2}});
}

}  // namespace

TEST(Peft, LoadsWhatGraftWrites) {
  std::string python, why;
  if (!peft_python::find(python, why)) GTEST_SKIP() << why;
  graft_test::TemporaryFolder const root;
  write_architecture<Gpt2>(root.path(), {"c_attn", "c_proj", "c_fc"});
  write_architecture<Llama>(root.path(), {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"});
  int const status = peft_python::run(python, "peft_check.py", root.path(), root / "log");
  std::string const log = graft_test::contents_of(root / "log");
  EXPECT_EQ(status, 0) << log;
  EXPECT_NE(log.find("34 adapters checked"), std::string::npos) << log;
}
