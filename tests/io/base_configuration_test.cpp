// What a configuration changes in a base's computation: the same for every spelling and for GGUF's float32, another for
// another computation; and how often a checkpoint's configuration is read.
#include <gtest/gtest.h>

#include <graft/io/base_configuration.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/io/model_config.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>

#include <memory>
#include <string>
#include <vector>

namespace {

using Json = nlohmann::json;

Json llama(Json const& changes = Json::object()) {
  Json json{{"model_type", "llama"},    {"hidden_size", 16},      {"num_hidden_layers", 1},
            {"num_attention_heads", 2}, {"intermediate_size", 8}, {"vocab_size", 4},
            {"rms_norm_eps", 1e-5},     {"rope_theta", 10000.0},  {"tie_word_embeddings", true}};
  json.update(changes);
  return json;
}
std::string difference(Json const& a, Json const& b) {
  auto const of = [](Json const& json) { return graft::base_configuration(graft::model_config(json, "config.json")); };
  auto const found = graft::configured_difference(of(a), of(b));
  return found ? found->name : "";
}

TEST(BaseConfiguration, IsTheSameInOtherSpellings) {
  for (Json const& changes :
       {Json{{"rms_norm_eps", static_cast<double>(1e-5f)}}, Json{{"rope_theta", static_cast<double>(10000.0f)}},
        Json{{"hidden_act", "swish"}}, Json{{"head_dim", 8}}, Json{{"num_key_value_heads", 2}},
        Json{{"model_type", "mistral"}, {"num_key_value_heads", 2}}, Json{{"max_position_embeddings", 77}},
        Json{{"eos_token_id", 3}}, Json{{"rope_theta", 500.0}, {"rope_scaling", {{"rope_theta", 10000.0}}}}})
    EXPECT_EQ(difference(llama(), llama(changes)), "") << changes;
  double const theta = 123456.789;
  EXPECT_EQ(difference(llama({{"rope_theta", theta}}),
                       llama({{"rope_theta", static_cast<double>(static_cast<float>(theta))}})),
            "");
}

TEST(BaseConfiguration, NamesWhatDiffers) {
  EXPECT_EQ(difference(llama(), llama({{"rms_norm_eps", 1e-6}})), "norm_epsilon");
  EXPECT_EQ(difference(llama(), llama({{"hidden_act", "gelu"}})), "activation");
  EXPECT_EQ(difference(llama(), llama({{"rope_theta", 9999.0}})), "rotary_frequencies[1]");
  EXPECT_EQ(difference(llama(), llama({{"rope_scaling", {{"rope_type", "linear"}, {"factor", 2.0}}}})),
            "rotary_frequencies[0]");
  EXPECT_EQ(difference(llama(), llama({{"num_attention_heads", 4}})), "head_dim");
  Json gpt2{{"model_type", "gpt2"}, {"n_embd", 8}, {"n_layer", 1}, {"n_head", 2}, {"vocab_size", 4}}, other = gpt2;
  other["scale_attn_weights"] = false;
  EXPECT_EQ(difference(gpt2, other), "scaled_attention");
}

TEST(BaseConfiguration, PassesOverWhatOneSideDoesNotSay) {
  EXPECT_FALSE(graft::configured_difference(nullptr, Json::object()));
  EXPECT_FALSE(graft::configured_difference({{"heads", 2}}, {{"later", 1}}));
  EXPECT_TRUE(graft::configured_difference({{"heads", 2}}, {{"heads", "two"}}));
}

/// A GPT-2 of zeros that counts how often its configuration is asked for.
class Counting final : public graft::Checkpoint {
 public:
  mutable int configurations = 0;

  [[nodiscard]] std::string const& path() const noexcept override { return path_; }
  [[nodiscard]] std::vector<std::string> names() const override { return {}; }
  [[nodiscard]] bool contains(std::string_view) const override { return true; }
  [[nodiscard]] graft::TensorEntry entry(std::string_view name) const override {
    auto const info = graft::describe_model<graft::Gpt2>(graft::model_config(json(), path_));
    for (auto const& site : info.sites) {
      if (name == site.name + ".bias") return {std::string(name), graft::Dtype::f32, {site.out}, nullptr, 0, nullptr};
      if (name != site.name + ".weight") continue;
      auto const out = static_cast<std::int64_t>(site.out), in = static_cast<std::int64_t>(site.in);
      std::vector<std::int64_t> const shape = in == 0                                ? std::vector{out}
                                              : site.layout == graft::Layout::in_out ? std::vector{in, out}
                                                                                     : std::vector{out, in};
      return {std::string(name), graft::Dtype::f32, shape, nullptr, 0, nullptr};
    }
    return {std::string(name), graft::Dtype::f32, {4, 8}, nullptr, 0, nullptr};
  }
  [[nodiscard]] std::string storage(std::string_view) const override { return "float32"; }
  [[nodiscard]] Json config() const override {
    ++configurations;
    return json();
  }
  void read_rows(std::string_view, std::size_t first, std::size_t last, float* out) const override {
    if (last > first) *out = 0;
  }
  void read_rows(std::string_view, std::size_t first, std::size_t last, double* out) const override {
    if (last > first) *out = 0;
  }

 private:
  [[nodiscard]] static Json json() {
    return {{"model_type", "gpt2"}, {"n_embd", 8},     {"n_layer", 1},
            {"n_head", 2},          {"vocab_size", 4}, {"n_positions", 4}};
  }
  void discard(std::string_view) const override {}

  std::string path_ = "nowhere";
};

TEST(LoadPretrained, ReadsTheConfigurationOnce) {
  auto const checkpoint = std::make_shared<Counting const>();
  static_cast<void>(graft::load_pretrained<graft::Gpt2>(std::shared_ptr<graft::Checkpoint const>(checkpoint)));
  EXPECT_EQ(checkpoint->configurations, 1);
  graft::visit_pretrained<graft::Llama, graft::Gpt2>(std::shared_ptr<graft::Checkpoint const>(checkpoint),
                                                     [](auto const&) {});
  EXPECT_EQ(checkpoint->configurations, 2);
}

}  // namespace
