// The tables of config.json's keys, the documentation of them, and what single keys do.
#include <gtest/gtest.h>

#include <graft/core/warning.hpp>
#include <graft/io/config_keys.hpp>
#include <graft/io/model_config.hpp>
#include <graft/io/open_checkpoint.hpp>
#include <graft/io/stored_names.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "file_builders.hpp"
#include "temporary_folder.hpp"

namespace {

using Json = nlohmann::json;
using graft::ConfigKey;
using graft::ConfigKeyUse;

Json llama() {
  return {{"model_type", "llama"},    {"hidden_size", 16},       {"num_hidden_layers", 2},
          {"num_attention_heads", 2}, {"intermediate_size", 24}, {"vocab_size", 40}};
}
graft::ModelConfig read(Json const& json) { return graft::model_config(json, "config.json"); }
std::string refusal_of(Json const& json) {
  try {
    static_cast<void>(read(json));
  } catch (graft::FileError const& error) {
    return error.what();
  }
  return "";
}

TEST(ConfigKeys, StandInOneListEach) {
  for (std::string_view const type : graft::model_types) {
    auto const table = graft::config_keys(type);
    std::set<std::string_view> names;
    for (ConfigKey const& key : table.keys) {
      EXPECT_TRUE(names.insert(key.name).second) << type << " lists " << key.name << " twice";
      EXPECT_EQ(key.allowed.empty(), key.use != ConfigKeyUse::one_value) << key.name;
      if (key.use == ConfigKeyUse::one_value) {
        EXPECT_TRUE(Json::parse(key.allowed).is_array()) << key.name;
      }
    }
    for (auto const& [alias, name] : table.aliases) {
      EXPECT_FALSE(names.contains(alias)) << type << " lists the alias " << alias;
      EXPECT_TRUE(names.contains(name)) << type << " has an alias for " << name;
    }
  }
}

/// The documentation's table: a line for what all have, then one for each model_type.
std::string documented_keys() {
  auto const cell = [](std::vector<ConfigKey> const& keys, ConfigKeyUse use) {
    std::string text;
    for (ConfigKey const& key : keys) {
      if (key.use != use) continue;
      text += (text.empty() ? "`" : ", `") + std::string(key.name) + "`";
      if (use != ConfigKeyUse::one_value) continue;
      auto const allowed = Json::parse(key.allowed);
      text += " " + (allowed.empty() ? "null" : allowed.front().dump());
    }
    return text;
  };
  auto const line = [&](std::string const& name, std::vector<ConfigKey> const& keys) {
    return "| " + name + " | " + cell(keys, ConfigKeyUse::honoured) + " | " + cell(keys, ConfigKeyUse::without_effect) +
           " | " + cell(keys, ConfigKeyUse::one_value) + " |\n";
  };
  graft::ConfigKeys common;
  graft::detail::add_common_keys(common);
  std::string text =
      "| `model_type` | honoured | without effect | only with this value |\n|-|-|-|-|\n" + line("all", common.keys);
  for (std::string_view const type : graft::model_types) {
    auto keys = graft::config_keys(type).keys;
    keys.resize(keys.size() - common.keys.size());
    text += line("`" + std::string(type) + "`", keys);
  }
  return text;
}

TEST(ConfigKeys, AreDocumented) {
  std::string const page = graft_test::contents_of(std::filesystem::path(GRAFT_SOURCE_DIR) / "docs/architectures.md"),
                    begin = "<!-- config keys -->\n", end = "<!-- end of config keys -->";
  auto const first = page.find(begin);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(page.substr(first + begin.size(), page.find(end) - first - begin.size()), documented_keys());
}

TEST(Config, NullIsAValue) {
  auto json = llama();
  json["num_key_value_heads"] = nullptr;
  EXPECT_EQ(read(json).kv_heads, 2);
  json["model_type"] = "mistral";
  EXPECT_NE(refusal_of(json).find("num_key_value_heads"), std::string::npos);  // an integer there, 8 by default
  json["num_key_value_heads"] = 1;
  EXPECT_EQ(read(json).positions, 4096);  // the default window
  json["sliding_window"] = nullptr;
  EXPECT_EQ(read(json).positions, 131072);
}

TEST(Config, RotaryPositions) {
  auto const frequency = [](Json const& changes) {
    Json json = llama();
    json.update(changes);
    return read(json).inverse_frequency.at(1);
  };
  double const plain = frequency({{"rope_theta", 16.0}});
  EXPECT_DOUBLE_EQ(plain, 0.5);
  EXPECT_DOUBLE_EQ(frequency({{"rope_theta", 16.0}, {"rope_parameters", {{"rope_type", "default"}}}}), plain);
  EXPECT_DOUBLE_EQ(frequency({{"rope_theta", 81.0}, {"rope_parameters", {{"rope_theta", 16.0}}}}), plain);
  EXPECT_DOUBLE_EQ(frequency({{"rope_theta", 16.0}, {"rope_scaling", {{"type", "linear"}, {"factor", 2}}}}), plain / 2);
  EXPECT_DOUBLE_EQ(frequency({{"rope_theta", 16.0},
                              {"rope_scaling", {{"type", "linear"}, {"rope_type", "default"}, {"factor", 2}}}}),
                   plain);
  EXPECT_DOUBLE_EQ(frequency({{"rope_theta", 16.0}, {"rope_scaling", {{"type", "dynamic"}, {"factor", 2}}}}), plain);
}

TEST(Config, ImpossibleNumbersAreRefusedByName) {
  std::vector<std::pair<char const*, Json>> const changes = {{"rms_norm_eps", -1},
                                                             {"rms_norm_eps", "0"},
                                                             {"hidden_size", 0},
                                                             {"hidden_size", 16.0},
                                                             {"hidden_size", true},
                                                             {"num_hidden_layers", 1 << 20},
                                                             {"head_dim", 3},
                                                             {"head_dim", 1 << 20},
                                                             {"rope_theta", 0},
                                                             {"rope_theta", nullptr},
                                                             {"hidden_act", 3},
                                                             {"hidden_act", "relu6"},
                                                             {"vocab_size", nullptr},
                                                             {"num_labels", 0},
                                                             {"id2label", Json::object()},
                                                             {"sliding_window", 4},
                                                             {"is_encoder_decoder", true},
                                                             {"per_layer_config", Json::object()},
                                                             {"quantization_config", Json::object()}};
  for (auto const& [key, value] : changes) {
    auto json = llama();
    json[key] = value;
    EXPECT_NE(refusal_of(json).find(key), std::string::npos) << key << " " << value << ": " << refusal_of(json);
  }
  Json roberta = {{"model_type", "roberta"}, {"hidden_size", 16}, {"num_attention_heads", 2}, {"vocab_size", 40}};
  for (auto const& pad : {Json(nullptr), Json(-2), Json(INT64_MAX), Json(511)}) {
    roberta["pad_token_id"] = pad;
    EXPECT_NE(refusal_of(roberta).find("pad_token_id"), std::string::npos) << pad;
  }
}

TEST(StoredNames, AreThoseOfTransformers) {
  graft_test::TemporaryFolder const folder;
  auto const header = [](std::vector<std::string> const& names) {
    std::string text = "{", separator;
    std::string data;
    for (auto const& name : names) {
      text += separator + "\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[)" +
              std::to_string(data.size()) + "," + std::to_string(data.size() + 4) + "]}";
      data += graft_test::bytes_of(1.0f);
      separator = ",";
    }
    return graft_test::safetensors_bytes(text + "}", data);
  };
  folder.put("model.safetensors", header({"bert.a.LayerNorm.gamma", "b.LayerNorm.weight", "lm_head.weight",
                                          "transformer.wte.weight", "h.0.attn.bias"}));
  auto const checkpoint = graft::open_checkpoint(folder.path());
  EXPECT_EQ(graft::detail::find_stored(*checkpoint, "bert.a.LayerNorm.weight", "bert"), "bert.a.LayerNorm.gamma");
  EXPECT_EQ(graft::detail::find_stored(*checkpoint, "bert.b.LayerNorm.weight", "bert"), "b.LayerNorm.weight");
  EXPECT_EQ(graft::detail::find_stored(*checkpoint, "bert.c.LayerNorm.weight", "bert"), "");
  graft::ModelConfig config;
  config.architecture = "gpt2";
  EXPECT_FALSE(graft::detail::head_differs(*checkpoint, config));
  graft::detail::StoredNames stored(*checkpoint, config, true);
  EXPECT_EQ(stored("transformer.wte.weight"), "transformer.wte.weight");
  EXPECT_EQ(stored("transformer.wpe.weight"), "transformer.wpe.weight");
  std::string const said = stored.unread();
  EXPECT_NE(said.find("holds 2 tensors"), std::string::npos)
      << said;  // the head repeats the embedding, and attn.bias is a mask
  EXPECT_NE(said.find("bert.a.LayerNorm.gamma"), std::string::npos) << said;
}

}  // namespace
