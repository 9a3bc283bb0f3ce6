#include <gtest/gtest.h>

#include <graft/io/gguf_names.hpp>
#include <graft/io/open_checkpoint.hpp>

#include <nlohmann/json.hpp>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "file_builders.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace graft_test;
using graft::FileError;
using graft::hugging_face_name;
using graft::open_checkpoint;
namespace fs = std::filesystem;

std::vector<float> read(graft::Checkpoint const& checkpoint, std::string const& name) {
  std::size_t count = 1;
  for (auto const extent : checkpoint.entry(name).shape) count *= static_cast<std::size_t>(extent);
  std::vector<float> values(count);
  checkpoint.read(name, values.data());
  std::vector<double> wide(count);
  checkpoint.read(name, wide.data());
  for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(static_cast<double>(values[i]), wide[i]) << name;
  return values;
}

std::string one_tensor(std::string const& name, float value) {
  return safetensors_bytes(R"({")" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", bytes_of(value));
}

std::string message_of(fs::path const& path) {
  try {
    static_cast<void>(open_checkpoint(path));
  } catch (FileError const& error) {
    return error.what();
  }
  return "";
}

TEST(Names, FollowHuggingFace) {
  EXPECT_EQ(hugging_face_name("llama", "token_embd.weight")->name, "model.embed_tokens.weight");
  EXPECT_EQ(hugging_face_name("llama", "blk.12.attn_q.weight")->name, "model.layers.12.self_attn.q_proj.weight");
  EXPECT_EQ(hugging_face_name("llama", "blk.12.attn_q.weight")->layout, graft::GgufLayout::rotary_query);
  EXPECT_EQ(hugging_face_name("llama", "blk.0.ffn_down.weight")->name, "model.layers.0.mlp.down_proj.weight");
  EXPECT_EQ(hugging_face_name("llama", "output.weight")->name, "lm_head.weight");
  EXPECT_EQ(hugging_face_name("gpt2", "blk.3.attn_qkv.bias")->name, "transformer.h.3.attn.c_attn.bias");
  EXPECT_EQ(hugging_face_name("gpt2", "blk.3.attn_qkv.weight")->layout, graft::GgufLayout::transposed);
  EXPECT_EQ(hugging_face_name("gpt2", "blk.3.attn_qkv.bias")->layout, graft::GgufLayout::same);
  for (char const* const name :
       {"blk.weight", "blk..attn_q.weight", "blk.01.attn_q.weight", "blk.-1.attn_q.weight",
        "blk.99999999999.attn_q.weight", "blk.1.other.weight", "token_embd", "rope_freqs.weight", "token_embd.scale"}) {
    EXPECT_FALSE(hugging_face_name("llama", name)) << name;
  }
  EXPECT_FALSE(hugging_face_name("falcon", "token_embd.weight"));
}

TEST(GgufCheckpoint, UndoesTheRotaryPermutation) {
  TemporaryFolder const folder;
  auto spec = tiny_llama();
  // Hugging Face's rows of two heads of width 4 are numbered 0 … 7; llama.cpp's conversion (reshape [heads, 2, d/2],
  // swap) stores them as below.
  std::vector<float> const stored = {0, 2, 1, 3, 4, 6, 5, 7};
  std::string rows;
  for (float const row : stored) rows += bytes_of_all<float>({row, row + 0.1f, row + 0.2f, row + 0.3f});
  spec.tensor("blk.0.attn_q.weight") = {"blk.0.attn_q.weight", {4, 8}, 0, rows};
  spec.tensors.push_back({"blk.0.attn_q.bias", {8}, 0, bytes_of_all(stored)});
  auto const checkpoint = open_checkpoint(folder.put("a.gguf", spec.bytes()));
  auto const values = read(*checkpoint, "model.layers.0.self_attn.q_proj.weight");
  auto const bias = read(*checkpoint, "model.layers.0.self_attn.q_proj.bias");
  for (std::size_t row = 0; row < 8; ++row) {
    EXPECT_EQ(values[4 * row], static_cast<float>(row));
    EXPECT_EQ(values[4 * row + 3], static_cast<float>(row) + 0.3f);
    EXPECT_EQ(bias[row], static_cast<float>(row));
  }
  std::vector<float> part(8);
  checkpoint->read_rows("model.layers.0.self_attn.q_proj.weight", 5, 7, part.data());
  EXPECT_EQ(std::memcmp(part.data(), values.data() + 20, 32), 0);
  EXPECT_EQ(checkpoint->entry("model.layers.0.self_attn.q_proj.weight").data, nullptr);
  EXPECT_NE(checkpoint->entry("model.layers.0.self_attn.v_proj.weight").data, nullptr);
}

TEST(GgufCheckpoint, TransposesConv1D) {
  TemporaryFolder const folder;
  GgufSpec spec;
  spec.entries = {gguf_text("general.architecture", "gpt2")};
  std::string rows;
  for (int out = 0; out < 37; ++out) {
    for (int in = 0; in < 5; ++in) rows += bytes_of(static_cast<float>(100 * in + out));
  }
  spec.tensors = {{"blk.0.ffn_up.weight", {5, 37}, 0, rows},
                  {"token_embd.weight", {2, 3}, 0, float_bytes(6, 0)},
                  {"output.weight", {2, 3}, 0, float_bytes(6, 0)}};
  auto const checkpoint = open_checkpoint(folder.put("a.gguf", spec.bytes()));
  EXPECT_EQ(checkpoint->entry("transformer.h.0.mlp.c_fc.weight").shape, (std::vector<std::int64_t>{5, 37}));
  auto const values = read(*checkpoint, "transformer.h.0.mlp.c_fc.weight");
  for (std::size_t in = 0; in < 5; ++in) {
    for (std::size_t out = 0; out < 37; ++out) ASSERT_EQ(values[37 * in + out], static_cast<float>(100 * in + out));
  }
  std::vector<float> part(74);
  checkpoint->read_rows("transformer.h.0.mlp.c_fc.weight", 2, 4, part.data());
  EXPECT_EQ(std::memcmp(part.data(), values.data() + 74, part.size() * 4), 0);
  EXPECT_FALSE(checkpoint->contains("lm_head.weight"));  // it repeats the embedding
}

TEST(GgufCheckpoint, OffersTheModelUnderHuggingFaceNames) {
  TemporaryFolder const folder;
  auto spec = tiny_llama();
  spec.tensors.push_back({"rope_freqs.weight", {1}, 0, bytes_of(1.0f)});
  auto const checkpoint = open_checkpoint(folder.put("a.gguf", spec.bytes()));
  EXPECT_EQ(checkpoint->names().size(), 12u);
  EXPECT_TRUE(checkpoint->contains("rope_freqs.weight"));
  EXPECT_FALSE(checkpoint->config()["rope_scaling"].is_null());
  EXPECT_EQ(checkpoint->storage("model.norm.weight"), "F32");
  EXPECT_EQ(read(*checkpoint, "model.norm.weight")[1], 10.25f);
  EXPECT_NO_THROW(static_cast<void>(checkpoint->require("model.embed_tokens.weight", {3, 4})));
  EXPECT_THROW(static_cast<void>(checkpoint->require("model.embed_tokens.weight", {4, 3})), FileError);
  EXPECT_THROW(static_cast<void>(checkpoint->entry("token_embd.weight")), FileError);
  float value = 0;
  EXPECT_THROW(checkpoint->read_rows("model.norm.weight", 0, 2, &value), graft::ShapeError);
}

TEST(SafetensorsCheckpoint, OneFileAndShards) {
  TemporaryFolder const folder;
  folder.put("model.safetensors.index.json",
             R"({"metadata":{"total_size":8},"weight_map":{"a":"s1.safetensors","b":"s2.safetensors"}})");
  folder.put("s1.safetensors", one_tensor("a", 1));
  folder.put("s2.safetensors", one_tensor("b", 2));
  folder.put("config.json", R"({"model_type":"llama"})");
  auto const sharded = open_checkpoint(folder.path());
  EXPECT_EQ(sharded->names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read(*sharded, "b"), std::vector<float>{2});
  EXPECT_EQ(sharded->config()["model_type"], "llama");
  auto const single = open_checkpoint(folder / "s1.safetensors");
  EXPECT_EQ(read(*single, "a"), std::vector<float>{1});
  EXPECT_EQ(single->config()["model_type"], "llama");
  EXPECT_THROW(static_cast<void>(single->entry("b")), FileError);
  folder.put("model.safetensors", one_tensor("c", 3));
  EXPECT_EQ(open_checkpoint(folder.path())->names(), std::vector<std::string>{"c"});
}

TEST(SafetensorsCheckpoint, ShardsStayInTheFolder) {
  TemporaryFolder const folder;
  fs::create_directories(folder / "model/sub");
  fs::create_directories(folder / "outside");
  folder.put("outside/s.safetensors", one_tensor("a", 1));
  folder.put("model/sub/s.safetensors", one_tensor("a", 1));
  folder.put("model/real.safetensors", one_tensor("a", 1));
  fs::create_symlink("../outside/s.safetensors", folder / "model/link.safetensors");
  fs::create_symlink("real.safetensors", folder / "model/inner.safetensors");
  auto const with_shard = [&](std::string const& shard) {
    folder.put("model/model.safetensors.index.json", R"({"weight_map":{"a":")" + shard + R"("}})");
    return message_of(folder / "model");
  };
  EXPECT_EQ(with_shard("real.safetensors"), "");
  EXPECT_EQ(with_shard("inner.safetensors"), "");
  for (std::string const shard : {"../outside/s.safetensors", "sub/s.safetensors", "..", ".", "", "link.safetensors",
                                  "missing.safetensors", "sub", "a\\\\b", "real.safetensors\\u0000x"}) {
    EXPECT_NE(with_shard(shard).find("model"), std::string::npos) << shard;
  }
  EXPECT_NE(with_shard((folder / "outside/s.safetensors").string()), "");
}

TEST(SafetensorsCheckpoint, FollowsTheHuggingFaceCache) {
  TemporaryFolder const folder;
  fs::create_directories(folder / "models--x/snapshots/abc");
  fs::create_directories(folder / "models--x/blobs");
  folder.put("models--x/blobs/0123", one_tensor("a", 4));
  fs::create_symlink("../../blobs/0123", folder / "models--x/snapshots/abc/s.safetensors");
  folder.put("models--x/snapshots/abc/model.safetensors.index.json", R"({"weight_map":{"a":"s.safetensors"}})");
  EXPECT_EQ(read(*open_checkpoint(folder / "models--x/snapshots/abc"), "a"), std::vector<float>{4});
}

TEST(SafetensorsCheckpoint, SaysWhatIsMissing) {
  TemporaryFolder const folder;
  EXPECT_NE(message_of(folder.path()).find("model.safetensors"), std::string::npos);
  folder.put("pytorch_model.bin", "x");
  EXPECT_NE(message_of(folder.path()).find("pickled"), std::string::npos);
  EXPECT_NE(message_of(folder / "nothing").find("nothing"), std::string::npos);
  EXPECT_NE(message_of(folder / std::string(5000, 'n')).find("cannot be looked at"), std::string::npos);
}

}  // namespace
