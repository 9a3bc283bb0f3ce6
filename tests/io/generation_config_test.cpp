#include <gtest/gtest.h>

#include <graft/core/warning.hpp>
#include <graft/io/generation_config.hpp>
#include <graft/io/generation_reader.hpp>

#include "temporary_folder.hpp"

namespace {

using graft::Token;
using Ends = std::vector<Token>;
using graft_test::TemporaryFolder;

graft::GenerationConfig read(char const* text) {
  return graft::detail::read_generation_config<void>(nlohmann::json::parse(text), "generation_config.json", true);
}

TEST(GenerationConfig, OneEndOrSeveral) {
  EXPECT_EQ(read(R"({"eos_token_id": 5})").ends, Ends{5});
  EXPECT_EQ(read(R"({"eos_token_id": [5, 6]})").ends, (Ends{5, 6}));
  EXPECT_TRUE(read(R"({"eos_token_id": null})").ends.empty());
  EXPECT_TRUE(read("{}").ends.empty());
  EXPECT_THROW(static_cast<void>(read(R"({"eos_token_id": "5"})")), graft::FileError);
  EXPECT_THROW(static_cast<void>(read(R"({"eos_token_id": [5, 2.5]})")), graft::FileError);
  EXPECT_THROW(static_cast<void>(read("[]")), graft::FileError);
}

TEST(GenerationConfig, EveryKeyIsReadRefusedIdleOrUnknown) {
  auto const config = read(
      R"({"num_beams": 4, "typical_p": 0.5, "guidance_scale": 1, "diversity_penalty": 0.5, "use_cache": false, "num_beems": 2, "sequence_bias": null})");
  EXPECT_EQ(config.beams, 4);
  ASSERT_EQ(config.refused.size(), 2u);
  EXPECT_EQ(config.refused[0].key, "diversity_penalty");
  EXPECT_EQ(config.refused[1].key, "typical_p");
  EXPECT_EQ(config.unknown, std::vector<std::string>{"num_beems"});
}

TEST(GenerationConfig, ConfigJsonCountsWhereThereIsNoOther) {
  TemporaryFolder const folder;
  folder.put("config.json", R"({"eos_token_id": 1, "forced_bos_token_id": 2, "hidden_size": 4})");
  auto const alone = graft::generation_config(folder.path());
  EXPECT_EQ(alone.ends, Ends{1});
  EXPECT_EQ(alone.forced_bos, 2);
  EXPECT_TRUE(alone.unknown.empty());
  folder.put("generation_config.json", R"({"eos_token_id": [3, 4]})");
  auto const both = graft::generation_config(folder.path());
  EXPECT_EQ(both.ends, (Ends{3, 4}));
  EXPECT_FALSE(both.forced_bos.has_value());
}

TEST(GenerationConfig, TheModelTakesItsTokens) {
  graft::ModelConfig model;
  model.vocabulary = 10, model.encoder.emplace(), model.decoder_start = 2, model.forced_bos = 5, model.forced_eos = 6;
  std::string said;
  auto const before = graft::set_warning_handler([&](std::string const& sentence) { said += sentence; });
  graft::apply_generation_config(
      model,
      read(R"({"eos_token_id": [3, 10], "forced_eos_token_id": 4, "decoder_start_token_id": 7, "bos_token_id": 1})"));
  EXPECT_EQ(model.ends, Ends{3});
  EXPECT_NE(said.find("10"), std::string::npos);
  EXPECT_EQ(model.forced_bos, -1);
  EXPECT_EQ(model.forced_eos, 4);
  EXPECT_EQ(model.decoder_start, 2);  // training begins with config.json's
  EXPECT_EQ(model.generation_start, 7);
  graft::apply_generation_config(model, read(R"({"decoder_start_token_id": 2})"));
  EXPECT_EQ(model.generation_start, -1);
  graft::apply_generation_config(model, read(R"({"bos_token_id": 1})"));
  EXPECT_EQ(model.generation_start, 1);
  graft::set_warning_handler(before);
}

TEST(GenerationConfig, AnOldNameForcesTheFirstToken) {
  auto const old = nlohmann::json::parse(R"({"bos_token_id": 3, "force_bos_token_to_be_generated": true})");
  EXPECT_EQ(graft::detail::read_generation_config<void>(old, "config.json", false).forced_bos, 3);
}

}  // namespace
