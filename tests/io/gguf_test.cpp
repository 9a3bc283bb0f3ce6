#include <gtest/gtest.h>

#include <graft/io/gguf.hpp>
#include <graft/io/gguf_config.hpp>
#include <graft/io/gguf_tokenizer.hpp>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "file_builders.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace graft_test;
using graft::FileError;
using graft::GgufFile;

// One block each, quantized and dequantized by gguf-py 0.19.0.
struct Golden {
  std::uint32_t type;
  char const* block;
  char const* values;
};
Golden const goldens[] = {
    {8, "8f1e10260fc32a15e71b110e011adef8e91c02f2dbf400f33d2f81a8f8ec0a0a63cc",
     "00e0d13d003a793e00c2c43d8009c8be00bb893e00bb093e00f723be0015313e00fede3d00a4b73d00e0d13b00862a3e00fe5ebe00e051bd0"
     "0d916be00a4373e"
     "00e0513c00a4b7bd00ab72be00689dbd000000000086aabd8009c83e80209a3e403c50bf004a10bf00e051bd002c03be002c833d002c833d4"
     "053223f0086aabe"},
    {2, "e7ac695075b55aae57c84d8bd89c8878c8ca",
     "00e09cbd00e01c3f00506b3e00506b3e00e01cbe0050ebbe00e09c3d000000800018c4be00506bbe0000008000e09cbe00000080000000800"
     "000008000e01cbe"
     "00e01c3e00506b3e00e09c3d00506bbe00506b3e00e01cbe00506b3e00e09cbe00e09c3e000000800018c4be00e09cbd0000008000e09c3d0"
     "0e09cbe00e09cbe"},
    {3, "732c67b9dbb83b5de3db7fa8c6cddbbe9893e908",
     "0020b73d0000f4bd0020b73d00f0693e00f8eebe0020b73d0028bc3e0000f4bd003084be00f0693e0020b73d0090983e0000f4bd00f8eebe0"
     "0404bbd0000f4bd"
     "00f0693e0020b73d00f8eebe00c8a7be0090983e00f0693e003041be0000a33c00c0223e00c0223e00f0693e0020b73d00404bbd00404bbd0"
     "090983e00e02cbf"},
};

TEST(Gguf, DequantizesAsTheReferenceDoes) {
  for (auto const& golden : goldens) {
    std::string const block = from_hex(golden.block);
    std::string const expected = from_hex(golden.values);
    std::vector<float> values(32);
    graft::dequantize_values(static_cast<graft::GgmlType>(golden.type),
                             reinterpret_cast<std::byte const*>(block.data()), 32, values.data());
    ASSERT_EQ(expected.size(), 128u);
    EXPECT_EQ(std::memcmp(values.data(), expected.data(), 128), 0) << golden.type;
  }
}

TEST(Gguf, ReadsRowsOfEveryType) {
  TemporaryFolder const folder;
  GgufSpec spec;
  for (auto const& golden : goldens) {
    spec.tensors.push_back(
        {"t" + std::to_string(golden.type), {32, 2}, golden.type, from_hex(golden.block) + from_hex(golden.block)});
  }
  spec.tensors.push_back({"f16", {3}, 1, bytes_of_all<std::uint16_t>({0x3c00, 0xc000, 0x0001})});
  spec.tensors.push_back({"bf16", {1, 2}, 30, bytes_of_all<std::uint16_t>({0x3fc0, 0xc000})});
  spec.tensors.push_back({"f32", {2, 3, 4}, 0, float_bytes(24, 1)});
  for (std::uint32_t const version : {2u, 3u}) {
    spec.version = version;
    GgufFile const file(folder.put("a.gguf", spec.bytes()));
    EXPECT_EQ(file.version(), version);
    for (auto const& golden : goldens) {
      auto const* const tensor = file.find_tensor("t" + std::to_string(golden.type));
      ASSERT_NE(tensor, nullptr);
      EXPECT_EQ(tensor->shape, (std::vector<std::int64_t>{2, 32}));
      std::vector<float> row(32);
      graft::dequantize_rows(*tensor, 1, 2, row.data());
      EXPECT_EQ(std::memcmp(row.data(), from_hex(golden.values).data(), 128), 0);
      EXPECT_THROW(graft::dequantize_rows(*tensor, 1, 3, row.data()), graft::ShapeError);
    }
    std::vector<float> out(24);
    graft::dequantize(*file.find_tensor("f16"), out.data());
    EXPECT_EQ(out[0], 1.0f);
    EXPECT_EQ(out[1], -2.0f);
    EXPECT_EQ(out[2], std::ldexp(1.0f, -24));
    graft::dequantize(*file.find_tensor("bf16"), out.data());
    EXPECT_EQ(out[0], 1.5f);
    EXPECT_EQ(out[1], -2.0f);
    EXPECT_EQ(file.find_tensor("f32")->shape, (std::vector<std::int64_t>{4, 3, 2}));
    EXPECT_EQ(file.find_tensor("f32")->rows, 12u);
    graft::dequantize(*file.find_tensor("f32"), out.data());
    EXPECT_EQ(out[23], 1 + 0.25f * 23);
    EXPECT_EQ(file.find_tensor("none"), nullptr);
  }
}

TEST(Gguf, ReadsEveryKindOfMetadata) {
  TemporaryFolder const folder;
  GgufSpec spec;
  spec.entries = {{"u8", 0, bytes_of<std::uint8_t>(200)},
                  {"i8", 1, bytes_of<std::int8_t>(-3)},
                  {"u16", 2, bytes_of<std::uint16_t>(65535)},
                  {"i16", 3, bytes_of<std::int16_t>(-5)},
                  {"u32", 4, bytes_of<std::uint32_t>(4000000000u)},
                  {"i32", 5, bytes_of<std::int32_t>(-7)},
                  {"f32", 6, bytes_of(1.5f)},
                  {"bool", 7, "\x01"},
                  gguf_text("text", "h\xc3\xa9"),
                  {"u64", 10, bytes_of<std::uint64_t>(1ull << 40)},
                  {"huge", 10, bytes_of<std::uint64_t>(~0ull)},
                  {"i64", 11, bytes_of<std::int64_t>(-(1ll << 40))},
                  {"f64", 12, bytes_of(2.25)},
                  gguf_array("numbers", 3, 3, bytes_of_all<std::int16_t>({1, -2, 3})),
                  gguf_array("flags", 7, 2, std::string("\x01\x00", 2)),
                  gguf_texts("texts", {"x", "", "yy"}),
                  gguf_array("nested", 9, 2,
                             bytes_of<std::uint32_t>(8) + bytes_of<std::uint64_t>(1) + gguf_string("in") +
                                 bytes_of<std::uint32_t>(0) + bytes_of<std::uint64_t>(3) + "abc"),
                  gguf_array("empty", 8, 0, "")};
  GgufFile const file(folder.put("a.gguf", spec.bytes()), graft::FileAccess::read);
  EXPECT_EQ(file.metadata().size(), spec.entries.size());
  EXPECT_EQ(file.require<std::int64_t>("u8"), 200);
  EXPECT_EQ(file.require<std::int64_t>("i8"), -3);
  EXPECT_EQ(file.require<std::int64_t>("u16"), 65535);
  EXPECT_EQ(file.require<std::int64_t>("i16"), -5);
  EXPECT_EQ(file.require<std::int64_t>("u32"), 4000000000);
  EXPECT_EQ(file.require<std::int64_t>("i32"), -7);
  EXPECT_EQ(file.require<double>("f32"), 1.5);
  EXPECT_EQ(file.require<double>("f64"), 2.25);
  EXPECT_EQ(file.require<double>("i8"), -3.0);
  EXPECT_TRUE(file.require<bool>("bool"));
  EXPECT_EQ(file.require<std::string>("text"), "h\xc3\xa9");
  EXPECT_EQ(file.require<std::int64_t>("u64"), 1ll << 40);
  EXPECT_EQ(file.require<std::int64_t>("i64"), -(1ll << 40));
  EXPECT_EQ(file.require<std::vector<std::int64_t>>("numbers"), (std::vector<std::int64_t>{1, -2, 3}));
  EXPECT_EQ(file.require<std::vector<bool>>("flags"), (std::vector<bool>{true, false}));
  EXPECT_EQ(file.require<std::vector<std::string>>("texts"), (std::vector<std::string>{"x", "", "yy"}));
  EXPECT_TRUE(file.require<std::vector<std::string>>("empty").empty());
  EXPECT_FALSE(file.get<std::int64_t>("absent").has_value());
  EXPECT_THROW(static_cast<void>(file.require<std::int64_t>("absent")), FileError);
  EXPECT_THROW(static_cast<void>(file.require<std::int64_t>("huge")), FileError);
  EXPECT_THROW(static_cast<void>(file.require<std::int64_t>("f32")), FileError);
  EXPECT_THROW(static_cast<void>(file.require<std::int64_t>("numbers")), FileError);
  EXPECT_THROW(static_cast<void>(file.require<std::string>("u8")), FileError);
  EXPECT_THROW(static_cast<void>(file.require<std::vector<std::string>>("nested")), FileError);
  EXPECT_THROW(static_cast<void>(file.require<bool>("u8")), FileError);
}

TEST(Gguf, HonoursTheAlignmentKey) {
  TemporaryFolder const folder;
  auto spec = tiny_llama();
  spec.set(gguf_u32("general.alignment", 64));
  spec.alignment = 64;
  GgufFile const file(folder.put("a.gguf", spec.bytes()));
  std::vector<float> values(4);
  graft::dequantize(*file.find_tensor("output_norm.weight"), values.data());
  EXPECT_EQ(values[0], 10.0f);
}

TEST(Gguf, ConfigurationAsHuggingFaceHasIt) {
  TemporaryFolder const folder;
  auto spec = tiny_llama();
  auto config = graft::gguf_config_json(GgufFile(folder.put("a.gguf", spec.bytes())));
  EXPECT_EQ(config["model_type"], "llama");
  EXPECT_EQ(config["hidden_size"], 4);
  EXPECT_EQ(config["num_hidden_layers"], 1);
  EXPECT_EQ(config["num_attention_heads"], 2);
  EXPECT_EQ(config["num_key_value_heads"], 1);
  EXPECT_EQ(config["head_dim"], 2);
  EXPECT_EQ(config["intermediate_size"], 3);
  EXPECT_EQ(config["max_position_embeddings"], 16);
  EXPECT_EQ(config["rms_norm_eps"], static_cast<double>(1e-5f));
  EXPECT_EQ(config["rope_theta"], 10000.0);
  EXPECT_EQ(config["vocab_size"], 3);
  EXPECT_EQ(config["eos_token_id"], 2);
  EXPECT_TRUE(config["bos_token_id"].is_null());
  EXPECT_TRUE(config["rope_scaling"].is_null());
  EXPECT_EQ(config["tie_word_embeddings"], true);

  spec.tensors.push_back({"output.weight", {4, 3}, 0, float_bytes(12, 3)});
  spec.set(gguf_text("llama.rope.scaling.type", "linear"));
  spec.set(gguf_f32("llama.rope.scaling.factor", 2));
  config = graft::gguf_config_json(GgufFile(folder.put("b.gguf", spec.bytes())));
  EXPECT_EQ(config["tie_word_embeddings"], false);
  EXPECT_EQ(config["rope_scaling"]["rope_type"], "linear");
  EXPECT_EQ(config["rope_scaling"]["factor"], 2.0);
  spec.tensor("output.weight").data = spec.tensor("token_embd.weight").data;
  EXPECT_EQ(graft::gguf_config_json(GgufFile(folder.put("c.gguf", spec.bytes())))["tie_word_embeddings"], true);
}

TEST(Gguf, EndsOfTurnsAndMessagesEndTextsToo) {
  TemporaryFolder const folder;
  auto spec = tiny_llama();
  auto const ends = [&] {
    return graft::gguf_config_json(GgufFile(folder.put("a.gguf", spec.bytes())))["eos_token_id"];
  };
  spec.set(gguf_u32("tokenizer.ggml.eot_token_id", 2));
  EXPECT_EQ(ends(), 2);  // the same token
  spec.set(gguf_u32("tokenizer.ggml.eot_token_id", 1));
  EXPECT_EQ(ends(), (nlohmann::json{2, 1}));
  spec.set(gguf_u32("tokenizer.ggml.eom_token_id", 0));
  EXPECT_EQ(ends(), (nlohmann::json{2, 1, 0}));
  spec.set(gguf_u32("tokenizer.ggml.eom_token_id", 3));
  EXPECT_THROW(static_cast<void>(ends()), graft::FileError);
}

TEST(Gguf, TokenizerFields) {
  TemporaryFolder const folder;
  auto const fields = graft::gguf_tokenizer_fields(GgufFile(folder.put("a.gguf", tiny_llama().bytes())));
  EXPECT_EQ(fields.model, "gpt2");
  EXPECT_EQ(fields.tokens, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(fields.token_types, (std::vector<std::int32_t>{1, 1, 3}));
  EXPECT_EQ(fields.merges, std::vector<std::string>{"a b"});
  EXPECT_EQ(fields.eos_id, 2);
  EXPECT_FALSE(fields.bos_id.has_value());
  EXPECT_EQ(fields.add_bos, false);
}

}  // namespace
