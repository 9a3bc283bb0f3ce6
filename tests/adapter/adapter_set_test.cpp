// Several named adapters on one base, in memory and in folders.
#include <cstring>
#include <functional>

#include <gtest/gtest.h>

#include <graft/adaptation/lora.hpp>
#include <graft/io/adapter.hpp>

#include "generate/random_model.hpp"
#include "io/temporary_folder.hpp"

namespace {

using namespace graft;
using graft::testing::disturb;
using graft::testing::random_base;
using Model = Transformer<Gpt2, LoRA, double, Cpu>;

Model trained(Base<Gpt2, double> const& base, std::uint64_t seed) {
  auto model = adapt(base, LoRA{.rank = 2}, seed);
  disturb(model, seed);
  return model;
}

std::vector<double> logits_of(Model& model) {
  NoGrad no_grad;
  auto const values = model.logits(pack({{{3, 1, 4}, {1, 5}, 0}})).value();
  return {values.data(), values.data() + values.size()};
}

}  // namespace

TEST(AdapterSet, SwitchesByName) {
  auto const base = random_base<Gpt2>();
  auto red = trained(base, 3), blue = trained(base, 4);
  AdapterSet<Model> set;
  set.add("red", red);
  set.add("blue", blue);
  EXPECT_EQ(set.names(), (std::vector<std::string>{"red", "blue"}));
  EXPECT_EQ(logits_of(set.active()), logits_of(red));
  set.use("blue");
  EXPECT_EQ(logits_of(set.active()), logits_of(blue));
  EXPECT_NE(logits_of(red), logits_of(blue));
  set.remove("red");
  EXPECT_EQ(logits_of(set.active()), logits_of(blue));
  EXPECT_THROW(set.use("red"), ConfigError);
  EXPECT_THROW(set.add("blue", trained(base, 5)), ConfigError);
  EXPECT_THROW(set.add("green", trained(random_base<Gpt2>(), 5)), ConfigError) << "another base";
  EXPECT_EQ(set.active().base(), base);
}

TEST(AdapterSet, DisabledIsTheBaseBitForBit) {
  auto const base = random_base<Gpt2>();
  auto red = trained(base, 3), blue = trained(base, 4), plain = trained(base, 5);
  plain.enable(false);
  auto untouched = adapt(base, NoAdaptation{});
  NoGrad no_grad;
  auto const values = untouched.logits(pack({{{3, 1, 4}, {1, 5}, 0}})).value();
  std::vector<double> const expected(values.data(), values.data() + values.size());
  AdapterSet<Model> set;
  set.add("red", red);
  set.enable(false);
  set.add("blue", blue);
  EXPECT_FALSE(set.enabled());
  for (auto const& name : set.names()) {
    set.use(name);
    EXPECT_EQ(set.active_name(), name);
    EXPECT_EQ(logits_of(set.active()), expected) << name;
  }
  EXPECT_EQ(logits_of(plain), expected);
  EXPECT_NE(logits_of(blue), expected) << "a model of one's own stays as it is";
  set.enable();
  EXPECT_EQ(set.active_name(), "blue");
  EXPECT_EQ(logits_of(set.active()), logits_of(blue));
  set.use("red");
  EXPECT_EQ(logits_of(set.active()), logits_of(red));
}

TEST(AdapterSet, UnknownNamesAreAnsweredWithTheKnownOnes) {
  AdapterSet<Model> set;
  auto const message = [&](auto const& call) -> std::string {
    try {
      call();
    } catch (ConfigError const& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { set.use("red"); }),
            "[adapters] got the name red; expected one that has been added: there is none yet");
  EXPECT_NE(message([&] { (void)set.active_name(); }).find("expected one to have been added"), std::string::npos);
  auto const base = random_base<Gpt2>();
  set.add("red", trained(base, 3));
  set.add("blue", trained(base, 4));
  for (auto const& call :
       {std::function<void()>([&] { set.use("green"); }), std::function<void()>([&] { set.remove("green"); }),
        std::function<void()>([&] { (void)set.at("green"); })})
    EXPECT_EQ(message(call), "[adapters] got the name green; expected one of: red, blue");
}

TEST(AdapterSet, NamesMakeNoDifferenceAndOneDoesNotDisturbAnother) {
  auto const base = random_base<Gpt2>();
  graft_test::TemporaryFolder const folder;
  auto red = trained(base, 3), blue = trained(base, 4);
  save_adapter(red, folder.path());
  auto const alone = graft_test::contents_of(folder / "adapter_model.safetensors");
  save_adapter(blue, folder.path(), {.name = "blue"});
  save_adapter(red, folder.path(), {.name = "red"});
  EXPECT_EQ(adapter_names(folder.path()), (std::vector<std::string>{"blue", "default", "red"}));
  EXPECT_TRUE(alone == graft_test::contents_of(folder / "adapter_model.safetensors"));
  EXPECT_TRUE(alone == graft_test::contents_of(folder / "red" / "adapter_model.safetensors"));
  auto set = load_adapters<LoRA>(base, folder.path());
  EXPECT_EQ(logits_of(set.at("default")), logits_of(red));
  EXPECT_EQ(logits_of(set.at("red")), logits_of(red));
  EXPECT_EQ(logits_of(set.at("blue")), logits_of(blue));
  EXPECT_EQ(set.at("red").base(), base);
}

TEST(AdapterSet, SavedAtOnceAndOtherFilesStay) {
  auto const base = random_base<Gpt2>();
  graft_test::TemporaryFolder const folder;
  auto const target = folder / "adapters";
  AdapterSet<Model> set;
  set.add("default", trained(base, 3));
  set.add("blue", trained(base, 4));
  save_adapters(set, target);
  std::ofstream(target / "README.md") << "mine";
  std::ofstream(target / "blue" / "notes.txt") << "theirs";
  save_adapter(trained(base, 6), target);
  save_adapter(trained(base, 7), target, {.name = "blue"});
  EXPECT_EQ(graft_test::contents_of(target / "README.md"), "mine");
  EXPECT_EQ(graft_test::contents_of(target / "blue" / "notes.txt"), "theirs");
  EXPECT_EQ(adapter_names(target), (std::vector<std::string>{"blue", "default"}));
}

TEST(AdapterSet, RefusesNamesThatAreNoNames) {
  graft_test::TemporaryFolder const folder;
  auto const model = trained(random_base<Gpt2>(), 3);
  for (std::string const name : {"", "..", ".hidden", "a/b", "/tmp/x"})
    EXPECT_THROW(save_adapter(model, folder / "x", {.name = name}), ConfigError) << name;
  EXPECT_FALSE(std::filesystem::exists(folder / "x"));
}
