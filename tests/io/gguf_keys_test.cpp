// What a GGUF file's metadata asks for is honoured as ggml's readers do, refused by name, or said.
#include <gtest/gtest.h>

#include <graft/core/warning.hpp>
#include <graft/io/gguf_config.hpp>

#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

#include "file_builders.hpp"
#include "temporary_folder.hpp"

namespace {

using namespace graft_test;

nlohmann::json config_with(std::vector<GgufEntry> const& entries) {
  TemporaryFolder const folder;
  auto spec = tiny_llama();
  for (auto const& entry : entries) spec.set(entry);
  return graft::gguf_config_json(graft::GgufFile(folder.put("a.gguf", spec.bytes())));
}
std::string refusal_of(GgufEntry const& entry) {
  try {
    static_cast<void>(config_with({entry}));
  } catch (graft::FileError const& error) {
    return error.what();
  }
  return "";
}

TEST(GgufKeys, RotaryScalingAsGgmlReadsIt) {
  auto const factor = gguf_f32("llama.rope.scaling.factor", 4), old = gguf_f32("llama.rope.scale_linear", 2);
  auto const type = [](char const* name) { return gguf_text("llama.rope.scaling.type", name); };
  auto const scaling = [](std::vector<GgufEntry> const& entries) { return config_with(entries)["rope_scaling"]; };
  nlohmann::json const four = {{"rope_type", "linear"}, {"factor", 4.0}},
                       two = {{"rope_type", "linear"}, {"factor", 2.0}};
  EXPECT_EQ(scaling({factor}), four);
  EXPECT_EQ(scaling({type("linear"), factor}), four);
  EXPECT_EQ(scaling({old}), two);
  EXPECT_EQ(scaling({type("linear"), old}), two);
  EXPECT_EQ(scaling({factor, old}), four);
  EXPECT_TRUE(scaling({type("none"), factor}).is_null());
  EXPECT_TRUE(scaling({type("linear")}).is_null());
  EXPECT_TRUE(scaling({gguf_f32("llama.rope.scaling.factor", 0)}).is_null());
}

TEST(GgufKeys, WhatIsNotComputedIsRefused) {
  for (auto const& entry :
       {gguf_text("llama.rope.scaling.type", "yarn"), gguf_text("llama.rope.scaling.type", "longrope"),
        gguf_f32("llama.rope.scaling.factor", -1), gguf_f32("llama.rope.scaling.attn_factor", 1.2f),
        gguf_f32("llama.rope.scaling.yarn_ext_factor", 1), gguf_u32("llama.rope.dimension_count", 1),
        gguf_u32("llama.attention.sliding_window", 8), gguf_f32("llama.attention.scale", 0.5f),
        gguf_f32("llama.logit_scale", 0.5f), gguf_f32("llama.residual_scale", 0.5f),
        gguf_f32("llama.embedding_scale", 12), gguf_u32("llama.expert_count", 8),
        gguf_f32("llama.final_logit_softcapping", 30), gguf_f32("llama.attention.clamp_kqv", 8),
        gguf_f32("llama.attention.max_alibi_bias", 8)}) {
    EXPECT_NE(refusal_of(entry).find(entry.key), std::string::npos) << entry.key << ": " << refusal_of(entry);
  }
}

TEST(GgufKeys, HarmlessValuesPass) {
  for (auto const& entry :
       {gguf_u32("llama.attention.sliding_window", 0), gguf_u32("llama.attention.sliding_window", 16),
        gguf_f32("llama.rope.scaling.attn_factor", 1), gguf_u32("llama.expert_count", 0),
        gguf_u32("llama.expert_used_count", 0), gguf_f32("llama.logit_scale", 1),
        gguf_u32("llama.rope.dimension_count", 2), gguf_u32("llama.rope.scaling.original_context_length", 8)})
    EXPECT_EQ(refusal_of(entry), "") << entry.key;
}

TEST(GgufKeys, WhatNobodyKnowsIsSaid) {
  std::vector<std::string> said;
  auto const before = graft::set_warning_handler([&](std::string const& sentence) { said.push_back(sentence); });
  static_cast<void>(config_with({gguf_f32("llama.attention.temperament", 0.5f), gguf_u32("llama.pooling_type", 0),
                                 gguf_u32("mamba.block_count", 3)}));
  graft::set_warning_handler(before);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_NE(said[0].find("llama.attention.temperament"), std::string::npos) << said[0];
  EXPECT_EQ(said[0].find("pooling_type"), std::string::npos);
  EXPECT_EQ(said[0].find("mamba"), std::string::npos);
}

}  // namespace
