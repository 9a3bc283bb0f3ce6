// The README's program, run on a model of random weights.
#include <graft/graft.hpp>

#define main quickstart
#include "../../examples/quickstart.cpp"
#undef main

#include "docs/tiny_model.hpp"

namespace {

class Quickstart : public docs::Docs {};

int run(std::vector<std::string> arguments) {
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  return quickstart(static_cast<int>(pointers.size()), pointers.data());
}

TEST_F(Quickstart, TrainsSavesAndWrites) {
  testing::internal::CaptureStdout();
  ASSERT_EQ(run({"quickstart", "SmolLM2-135M", "prefix"}), 0);
  std::string const text = testing::internal::GetCapturedStdout();
  EXPECT_TRUE(text.starts_with("name : ")) << text;
  EXPECT_NE(text.find(" ->"), std::string::npos) << text;
  EXPECT_EQ(graft::adapter_kind("prefix"), "prefix_tuning");
  auto const base = graft::load_pretrained<graft::Llama>("SmolLM2-135M");
  EXPECT_EQ(graft::load_adapter<graft::PrefixTuning>(base, "prefix").settings().length, 10);
}

TEST_F(Quickstart, SaysWhatIsWrong) {
  EXPECT_EQ(run({"quickstart"}), 2);
  testing::internal::CaptureStderr();
  EXPECT_EQ(run({"quickstart", "nowhere", "prefix"}), 1);
  std::string const message = testing::internal::GetCapturedStderr();
  EXPECT_NE(message.find("nowhere"), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists("prefix"));
}

}  // namespace
