// Adapter folders that are broken, lie, or belong to another model: each one clear sentence that names the file, and
// nothing lost.
#include <algorithm>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/io/adapter.hpp>

#include "generate/random_model.hpp"
#include "io/temporary_folder.hpp"

namespace {

using namespace graft;
using graft::testing::random_base;
using graft_test::contents_of;
using graft_test::TemporaryFolder;
using nlohmann::json;
using Edit = std::function<void(json&)>;

Base<Gpt2, double> const& gpt2() {
  static auto const base = random_base<Gpt2>();
  return base;
}

template <class Adaptation>
Adaptation small() {
  Adaptation settings;
  if constexpr (requires { settings.length; }) settings.length = 2;
  if constexpr (requires { settings.rank; }) settings.rank = 2;
  if constexpr (requires { settings.bottleneck; }) settings.bottleneck = 3;
  return settings;
}

/// A valid adapter, saved once and copied.
template <class Adaptation>
void write_valid(TemporaryFolder const& folder) {
  static auto const saved = [] {
    TemporaryFolder const scratch;
    save_adapter(adapt(gpt2(), small<Adaptation>()), scratch.path());
    return std::pair{contents_of(scratch / "adapter_config.json"), contents_of(scratch / "adapter_model.safetensors")};
  }();
  folder.put("adapter_config.json", saved.first);
  folder.put("adapter_model.safetensors", saved.second);
}

/// The message of the refusal; a failure if it is accepted, or refused otherwise than by a FileError of one sentence.
template <class Adaptation>
std::string refusal(TemporaryFolder const& folder, std::string const& what, Base<Gpt2, double> const& base = gpt2()) {
  try {
    (void)load_adapter<Adaptation>(base, folder.path());
    ADD_FAILURE() << what << ": accepted";
  } catch (FileError const& error) {
    std::string const message = error.what();
    EXPECT_EQ(message.rfind("[" + folder.path().string(), 0), 0u)
        << what << ": does not begin with the file: " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_LT(message.size(), 700u) << message;
    return message;
  } catch (std::exception const& error) {
    ADD_FAILURE() << what << ": got another exception: " << error.what();
  }
  return {};
}

template <class Adaptation>
void refused_config(std::string const& what, Edit const& edit, std::string const& says) {
  TemporaryFolder const folder;
  write_valid<Adaptation>(folder);
  auto config = read_json(folder / "adapter_config.json");
  edit(config);
  folder.put("adapter_config.json", config.dump());
  auto const message = refusal<Adaptation>(folder, what);
  EXPECT_NE(message.find(says), std::string::npos) << what << ": expected '" << says << "' in: " << message;
}
Edit set(std::string const& key, json const& value) {
  return [=](json& config) { config[key] = value; };
}

struct Tensors {
  std::vector<std::pair<std::string, Tensor<double>>> all;
  [[nodiscard]] Tensor<double>& first() { return all.front().second; }
};

/// Writes the adapter's tensors again after a change.
template <class Adaptation>
std::string refused_tensors(std::string const& what, std::function<void(Tensors&)> const& edit,
                            Dtype dtype = Dtype::f64) {
  TemporaryFolder const folder;
  write_valid<Adaptation>(folder);
  Tensors tensors;
  {
    SafetensorsFile const file(folder / "adapter_model.safetensors");
    for (auto const& entry : file.entries()) {
      Tensor<double> tensor(Shape(std::vector<Index>(entry.shape.begin(), entry.shape.end())));
      convert_values(entry.dtype, entry.data, static_cast<std::size_t>(tensor.size()), tensor.data());
      tensors.all.emplace_back(entry.name, tensor);
    }
  }
  edit(tensors);
  std::vector<TensorEntry> entries;
  for (auto const& [name, tensor] : tensors.all) {
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.shape()[axis]);
    entries.push_back({name, dtype, shape, reinterpret_cast<std::byte const*>(tensor.data()),
                       static_cast<std::size_t>(tensor.size()) * 8, nullptr});
  }
  save_safetensors(folder / "adapter_model.safetensors", entries);
  return refusal<Adaptation>(folder, what);
}

template <class Adaptation>
void check_cuts(std::size_t step) {
  TemporaryFolder const folder;
  write_valid<Adaptation>(folder);
  for (std::string const name : {"adapter_config.json", "adapter_model.safetensors"}) {
    std::string const bytes = contents_of(folder / name);
    for (std::size_t length = 0; length < bytes.size(); length += step) {
      folder.put(name, std::string_view(bytes).substr(0, length));
      (void)refusal<Adaptation>(folder, cat(name, " cut at ", length));
    }
    folder.put(name, bytes);
  }
  (void)load_adapter<Adaptation>(gpt2(), folder.path());
}

/// Bytes changed at random: the library's error in one line, or an adapter that runs.
template <class Adaptation>
void check_damage(int times) {
  TemporaryFolder const folder;
  write_valid<Adaptation>(folder);
  std::mt19937 random(7);
  int refused = 0;
  for (std::string const name : {"adapter_config.json", "adapter_model.safetensors"}) {
    std::string const bytes = contents_of(folder / name);
    std::size_t const reach = std::min<std::size_t>(bytes.size(), 1200);  // of the tensors above all the header
    for (int i = 0; i < times; ++i) {
      std::string damaged = bytes;
      for (auto changes = 1 + random() % 3; changes > 0; --changes)
        damaged[random() % reach] = static_cast<char>(random() % 256);
      folder.put(name, damaged);
      try {
        auto model = load_adapter<Adaptation>(gpt2(), folder.path());
        NoGrad no_grad;
        (void)model.logits(model.pack({{{3, 4}, {5}, 0}}));
      } catch (Error const& error) {
        ++refused;
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
      }
    }
    folder.put(name, bytes);
  }
  EXPECT_GT(refused, times / 2) << Adaptation::name;
}

}  // namespace

TEST(MalformedAdapters, DamagedBytesGiveTheLibrarysErrorsOrAnAdapter) {
  check_damage<PrefixTuning>(300);
  check_damage<PromptTuning>(300);
  check_damage<LoRA>(300);
  check_damage<BottleneckAdapter>(300);
  check_damage<IA3>(300);
  check_damage<PTuning>(300);
}

TEST(MalformedAdapters, CutAnywhere) {
  check_cuts<PrefixTuning>(1);
  check_cuts<LoRA>(13);
  check_cuts<InfixTuning>(3);
  check_cuts<IA3>(11);
  check_cuts<PTuning>(7);
}

TEST(MalformedAdapters, NoAdapterOrAnotherStrategy) {
  TemporaryFolder const folder;
  EXPECT_NE(refusal<LoRA>(folder, "empty folder").find("adapter_config.json"), std::string::npos);
  save_adapter(adapt(gpt2(), LoRA{.rank = 2}), folder.path(), {.name = "blue"});
  EXPECT_NE(refusal<LoRA>(folder, "only a named one").find("blue"), std::string::npos);
  write_valid<PrefixTuning>(folder);
  EXPECT_NE(refusal<LoRA>(folder, "another strategy").find("prefix_tuning"), std::string::npos);
  std::filesystem::rename(folder / "adapter_model.safetensors", folder / "adapter_model.bin");
  EXPECT_NE(refusal<PrefixTuning>(folder, "pickled").find("pickled"), std::string::npos);
}

TEST(MalformedAdapters, ConfigurationOfPeft) {
  refused_config<PrefixTuning>("unknown type", set("peft_type", "VERA"),
                               "PREFIX_TUNING, PROMPT_TUNING, P_TUNING, LORA, IA3");
  refused_config<PrefixTuning>("type of another kind", set("peft_type", 5), "peft_type");
  refused_config<PrefixTuning>("no type", [](json& config) { config.erase("peft_type"); }, "peft_type or graft_type");
  refused_config<PrefixTuning>("two types", set("graft_type", "prefix_tuning"), "both");
  refused_config<PrefixTuning>("no object", [](json& config) { config = json::array({1}); }, "expected an object");
  refused_config<PrefixTuning>(
      "no length", [](json& config) { config.erase("num_virtual_tokens"); }, "num_virtual_tokens");
  for (json const& length : {json(0), json(-1), json(3), json(1000000000000), json(1e300), json("2"), json(nullptr)})
    refused_config<PrefixTuning>("length " + length.dump(), set("num_virtual_tokens", length), "");
  refused_config<PrefixTuning>("layers", set("num_layers", 12), "another model; got num_layers 12; expected 3");
  refused_config<PrefixTuning>("heads", set("num_attention_heads", 8), "another model");
  refused_config<PrefixTuning>("width", set("token_dim", 768), "another model; got token_dim 768; expected 16");
  refused_config<PrefixTuning>("task", set("task_type", "SEQ_2_SEQ_LM"), "SEQ_2_SEQ_LM");
  refused_config<PrefixTuning>("modules", set("modules_to_save", json::array({"score"})), "modules_to_save");
  refused_config<PromptTuning>("width", set("token_dim", 768), "another model");
  refused_config<PromptTuning>("submodules", set("num_transformer_submodules", 2), "num_transformer_submodules");
}

TEST(MalformedAdapters, LoRAThatCannotBeHonoured) {
  for (auto const& [key, value] : std::vector<std::pair<std::string, json>>{{"use_dora", true},
                                                                            {"rank_pattern", {{"c_attn", 4}}},
                                                                            {"alpha_pattern", {{"c_attn", 4}}},
                                                                            {"modules_to_save", {"wte"}},
                                                                            {"lora_bias", true},
                                                                            {"layer_replication", {{0, 2}}},
                                                                            {"trainable_token_indices", {1, 2}},
                                                                            {"use_qalora", true}})
    refused_config<LoRA>(key, set(key, value), "asks for " + key + ", which is not supported");
  refused_config<LoRA>("bias", set("bias", "all"), "biases");
  refused_config<LoRA>("changed base", set("init_lora_weights", "pissa"), "pissa");
  for (json const& rank : {json(0), json(-3), json(7), json(1000000000000), json("x")})
    refused_config<LoRA>("rank " + rank.dump(), set("r", rank), "");
  refused_config<LoRA>("alpha", set("lora_alpha", "x"), "lora_alpha");
  refused_config<LoRA>("targets of another model", set("target_modules", json::array({"q_proj"})), "c_attn");
  refused_config<LoRA>("targets of another kind", set("target_modules", 3), "target_modules");
  refused_config<LoRA>("a target of nothing beside others", set("target_modules", {"c_attn", "k_prj"}),
                       "has the target \"k_prj\", which names no module of this gpt2 model");
  refused_config<LoRA>("layers", set("layers_to_transform", {0, 1}), "layers_to_transform leave out");
  refused_config<LoRA>("a layer that is none", set("layers_to_transform", 7), "got 7; expected 0 to 2");
  refused_config<LoRA>("more targets than tensors", set("target_modules", json::array({"c_attn", "c_fc"})),
                       "lacks the tensor");
}

TEST(MalformedAdapters, IA3ThatCannotBeHonoured) {
  refused_config<IA3>("modules", set("modules_to_save", {"wte"}), "asks for modules_to_save, which is not supported");
  refused_config<IA3>("inputs that are no targets", set("target_modules", json::array({"c_attn"})),
                      "\"mlp.c_proj\" in feedforward_modules that is not in target_modules");
  refused_config<IA3>("targets of another model", set("target_modules", json::array({"q_proj", "mlp.c_proj"})),
                      "has the target \"q_proj\", which names no module of this gpt2 model");
  refused_config<IA3>("a target of nothing beside others", set("target_modules", {"c_attn", "mlp.c_proj", "lm_head"}),
                      "\"lm_head\", which is the head");
  refused_config<IA3>(
      "no targets of this model",
      [](json& config) { config["target_modules"] = {"q_proj"}, config["feedforward_modules"] = json::array(); },
      "c_attn");
  refused_config<IA3>("targets of another kind", set("target_modules", 3), "target_modules");
  refused_config<IA3>("a target of another kind", set("target_modules", {"c_attn", 5}), "target_modules");
  refused_config<IA3>("more targets than tensors", set("target_modules", {"c_attn", "c_fc", "mlp.c_proj"}),
                      "lacks the tensor");
  refused_config<IA3>("inputs for outputs", set("feedforward_modules", {"c_attn", "mlp.c_proj"}), "does not fit");
  refused_config<IA3>("outputs for inputs", set("feedforward_modules", json::array()), "does not fit");
}

TEST(MalformedAdapters, IA3ChosenByAPattern) {
  TemporaryFolder const folder;
  write_valid<IA3>(folder);
  for (char const* config :
       {R"({"peft_type": "IA3", "target_modules": ".*c_attn|.*mlp.c_proj", "feedforward_modules": ["mlp.c_proj"]})",
        R"({"peft_type": "IA3", "target_modules": ["c_attn", "mlp.c_proj"], "feedforward_modules": ".*mlp\\.c_proj"})",
        R"({"peft_type": "IA3"})"}) {
    folder.put("adapter_config.json", config);
    auto const settings = load_adapter<IA3>(gpt2(), folder.path()).settings();
    EXPECT_EQ(settings.targets.size(), 3u) << config;
    EXPECT_EQ(settings.feed_forward_targets.size(), 3u) << config;
  }
  refused_config<IA3>("all linear maps", set("target_modules", "all-linear"),
                      "got none of transformer.h.0.attn.c_proj");
  refused_config<IA3>(
      "feed-forward alone",
      [](json& config) { config["target_modules"] = {"c_attn"}, config["feedforward_modules"] = ".*c_proj"; },
      "mlp.c_proj");
}

TEST(MalformedAdapters, PTuning) {
  for (json const& length : {json(0), json(-1), json(3), json(1), json(1000000000000),
                             json(std::numeric_limits<std::int64_t>::max()), json("2"), json(nullptr)})
    refused_config<PTuning>("length " + length.dump(), set("num_virtual_tokens", length), "");
  for (json const& count : {json(2), json(3), json(-1), json(1000000000000)})
    refused_config<PTuning>("submodules " + count.dump(), set("num_transformer_submodules", count), "");
  refused_config<PTuning>("encoder", set("encoder_reparameterization_type", "GRU"), "\"GRU\"; expected MLP or LSTM");
  refused_config<PTuning>("layers", set("encoder_num_layers", 0), "layers 0");
  refused_config<PTuning>("dropout", set("encoder_dropout", 1.5), "dropout 1.5");
  refused_config<PTuning>("hidden", set("encoder_hidden_size", "x"), "encoder_hidden_size");
  refused_config<PTuning>("width", set("token_dim", 768), "another model; got token_dim 768; expected 16");
  refused_config<PTuning>("model's layers", set("num_layers", 12), "another model");
  refused_config<PTuning>("heads", set("num_attention_heads", 8), "another model");
  refused_config<PTuning>("task", set("task_type", "SEQ_CLS"), "SEQ_CLS");
  refused_config<PTuning>("modules", set("modules_to_save", {"score"}), "modules_to_save");
  TemporaryFolder const folder;
  write_valid<PTuning>(folder);
  folder.put("adapter_config.json",
             R"({"peft_type": "P_TUNING", "num_virtual_tokens": 2, "encoder_hidden_size": 2000000000, "later": 1})");
  EXPECT_EQ(load_adapter<PTuning>(gpt2(), folder.path()).parameters().size(), 1u) << "the encoder is not built";
}

TEST(MalformedAdapters, UnknownKeysAreToleratedAndMissingOnesDefaulted) {
  TemporaryFolder const folder;
  write_valid<LoRA>(folder);
  auto const whole = load_adapter<LoRA>(gpt2(), folder.path());
  folder.put(
      "adapter_config.json",
      R"({"peft_type": "LORA", "r": 2, "lora_alpha": 16, "target_modules": ["c_attn"], "use_something_new": {"a": [1]}})");
  auto const sparse = load_adapter<LoRA>(gpt2(), folder.path());
  EXPECT_EQ(sparse.settings().alpha, whole.settings().alpha);
  EXPECT_EQ(settings_json(sparse.settings()).dump(), settings_json(whole.settings()).dump());
  folder.put("adapter_config.json",
             json{{"peft_type", "LORA"}, {"r", 2}, {"target_modules", "transformer\\..*c_attn"}}.dump());
  EXPECT_EQ(load_adapter<LoRA>(gpt2(), folder.path()).settings().targets.size(), 3u);
  refused_config<LoRA>("all linear maps", set("target_modules", "all-linear"),
                       "got none of transformer.h.0.attn.c_proj");
  write_valid<PrefixTuning>(folder);
  folder.put("adapter_config.json", R"({"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 2, "later": null})");
  EXPECT_EQ(load_adapter<PrefixTuning>(gpt2(), folder.path()).settings().length, 2);
}

TEST(MalformedAdapters, ConfigurationOfGraft) {
  refused_config<InfixTuning>("unknown type", set("graft_type", "magic"), "magic");
  refused_config<InfixTuning>("another architecture", set("architecture", "llama"),
                              "got the architecture \"llama\"; expected gpt2");
  refused_config<InfixTuning>("no architecture", [](json& config) { config.erase("architecture"); }, "architecture");
  for (std::string const key : {"vocabulary", "width", "layers", "heads", "kv_heads", "head_dim"}) {
    refused_config<InfixTuning>(
        key, [&](json& config) { config["model"][key] = 1000; }, "another model; got " + key + " 1000");
    refused_config<InfixTuning>("no " + key, [&](json& config) { config["model"].erase(key); }, key);
  }
  refused_config<InfixTuning>("newer format", set("graft_format", 2), "another version");
  refused_config<InfixTuning>(
      "setting of another kind", [](json& config) { config["settings"]["positions"] = "sideways"; }, "shift, keep");
  refused_config<InfixTuning>(
      "layer out of range", [](json& config) { config["settings"]["layers"] = {7}; }, "layer 7");
  for (json const& length : {json(0), json(-1), json(1000000000000000), json("x")})
    refused_config<InfixTuning>(
        "length " + length.dump(), [&](json& config) { config["settings"]["length"] = length; }, "length");
  for (json const& width : {json(0), json(1000000000000)})
    refused_config<BottleneckAdapter>(
        "bottleneck " + width.dump(), [&](json& config) { config["settings"]["bottleneck"] = width; }, "bottleneck");
  refused_config<BottleneckAdapter>("share", [](json& config) { config["settings"]["share"] = 1e12; }, "share");
  refused_config<BottleneckAdapter>("settings", set("settings", 3), "settings");
  for (json const& width : {json(0), json(1000000000000)})
    refused_config<ParallelAdapter>(
        "bottleneck " + width.dump(), [&](json& config) { config["settings"]["bottleneck"] = width; }, "bottleneck");
  refused_config<ParallelAdapter>(
      "placement", [](json& config) { config["settings"]["placement"] = "above"; }, "feed_forward, attention, both");
}

TEST(MalformedAdapters, Compositions) {
  using Both = Composed<PrefixTuning, LoRA>;
  TemporaryFolder const folder;
  save_adapter(adapt(gpt2(), compose(PrefixTuning{.length = 2}, LoRA{.rank = 2})), folder.path());
  (void)load_adapter<Both>(gpt2(), folder.path());
  EXPECT_NE((refusal<Composed<LoRA, PrefixTuning>>(folder, "other order").find("prefix_tuning")), std::string::npos);
  EXPECT_NE(
      (refusal<Composed<PrefixTuning>>(folder, "fewer parts")
           .find(
               "holds an adapter of the strategy \"composed(prefix_tuning, lora)\"; expected composed(prefix_tuning)")),
      std::string::npos);
}

TEST(MalformedAdapters, Tensors) {
  auto const says = [](std::string const& message, std::string const& what) {
    EXPECT_NE(message.find(what), std::string::npos) << message;
  };
  says(refused_tensors<PrefixTuning>("another name", [](Tensors& t) { t.all.front().first = "prompt"; }),
       "lacks the tensor \"prompt_embeddings\"");
  says(refused_tensors<PrefixTuning>("one more",
                                     [](Tensors& t) { t.all.emplace_back("more", zeros<double>(Shape{1})); }),
       "holds the tensor \"more\"");
  says(refused_tensors<PrefixTuning>("wider", [](Tensors& t) { t.first() = zeros<double>(Shape{2, 192}); }),
       "got the shape [2, 192]; expected [2, 96]");
  says(refused_tensors<PrefixTuning>("turned", [](Tensors& t) { t.first() = zeros<double>(Shape{96, 2}); }),
       "expected [2, 96]");
  says(refused_tensors<PrefixTuning>("flat", [](Tensors& t) { t.first() = zeros<double>(Shape{192}); }), "");
  says(refused_tensors<PrefixTuning>("integers", [](Tensors&) {}, Dtype::i64), "int64");
  says(refused_tensors<LoRA>("one fewer", [](Tensors& t) { t.all.pop_back(); }), "lacks the tensor");
  says(refused_tensors<LoRA>("another width", [](Tensors& t) { t.first() = zeros<double>(Shape{2, 32}); }),
       "another model");
  says(refused_tensors<LoRA>("base weights",
                             [](Tensors& t) {
                               t.all.emplace_back("base_model.model.transformer.wte.weight",
                                                  zeros<double>(Shape{2, 2}));
                             }),
       "wte");
  says(refused_tensors<IA3>("one fewer", [](Tensors& t) { t.all.pop_back(); }), "lacks the tensor");
  says(refused_tensors<IA3>("turned", [](Tensors& t) { t.first() = zeros<double>(Shape{1, 48}); }),
       "got the shape [1, 48]; expected [48, 1]");
  says(refused_tensors<PTuning>(
           "the encoder's",
           [](Tensors& t) { t.all.emplace_back("prompt_encoder.default.mlp_head.0.weight", zeros<double>(Shape{2})); }),
       "mlp_head");
  for (double const bad : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    says(refused_tensors<PrefixTuning>("NaN", [&](Tensors& t) { t.first().data()[5] = bad; }), "at element 5");
    says(refused_tensors<LoRA>("NaN", [&](Tensors& t) { t.all.back().second.data()[0] = bad; }), "finite");
    says(refused_tensors<IA3>("NaN", [&](Tensors& t) { t.first().data()[3] = bad; }), "at element 3");
    says(refused_tensors<PTuning>("NaN", [&](Tensors& t) { t.first().data()[3] = bad; }), "at element 3");
    says(refused_tensors<InfixTuning>("NaN", [&](Tensors& t) { t.first().data()[0] = bad; }), "finite");
  }
}

TEST(MalformedAdapters, NarrowFormatsAreRead) {
  TemporaryFolder const folder;
  write_valid<PromptTuning>(folder);
  std::vector<std::uint16_t> const halves(2 * 16, 0x3c00);  // 1.0
  save_safetensors(folder / "adapter_model.safetensors", {{"prompt_embeddings",
                                                           Dtype::f16,
                                                           {2, 16},
                                                           reinterpret_cast<std::byte const*>(halves.data()),
                                                           halves.size() * 2,
                                                           nullptr}});
  auto model = load_adapter<PromptTuning>(gpt2(), folder.path());
  EXPECT_EQ(model.parameters().front()->value().data()[31], 1.0);
}

TEST(MalformedAdapters, SavingNanChangesNothing) {
  TemporaryFolder const folder;
  write_valid<LoRA>(folder);
  auto const config = contents_of(folder / "adapter_config.json"),
             tensors = contents_of(folder / "adapter_model.safetensors");
  auto model = adapt(gpt2(), LoRA{.rank = 2, .alpha = 3}, 7);
  model.parameters().back()->mutable_value().data()[0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(save_adapter(model, folder.path()), NumericError);
  EXPECT_EQ(contents_of(folder / "adapter_config.json"), config);
  EXPECT_TRUE(contents_of(folder / "adapter_model.safetensors") == tensors);
  EXPECT_EQ(adapter_names(folder.path()).size(), 1u);
  std::size_t entries = 0;
  for ([[maybe_unused]] auto const& entry : std::filesystem::directory_iterator(folder.path())) ++entries;
  EXPECT_EQ(entries, 2u) << "something was left behind";
}
