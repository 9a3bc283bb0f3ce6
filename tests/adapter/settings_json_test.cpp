// Settings aggregates as JSON, in both directions.
#include <gtest/gtest.h>

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/io/settings_json.hpp>

namespace {

using namespace graft;

enum class Shade { light = 3, dark = 7 };

/// A user's own settings: an enumeration without names, nested settings, vectors.
struct OwnSettings {
  Shade shade = Shade::light;
  bool loud = false;
  int count = 1;
  double factor = 0.5;
  std::string label = "a";
  std::vector<std::string> names = {};
  std::optional<Mlp> inner = std::nullopt;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("shade", self.shade);
    visitor("loud", self.loud);
    visitor("count", self.count);
    visitor("factor", self.factor);
    visitor("label", self.label);
    visitor("names", self.names);
    visitor("inner", self.inner);
  }
};

/// Stands for a value of any type.
struct AnyValue {
  template <class T>
  operator T() const;
};
template <class Settings, std::size_t... i>
constexpr bool has_fields(std::index_sequence<i...>) {
  return requires { Settings{(static_cast<void>(i), AnyValue{})...}; };
}
/// Fields of an aggregate.
template <class Settings, std::size_t most = 24>
constexpr std::size_t count_fields() {
  if constexpr (has_fields<Settings>(std::make_index_sequence<most>{}))
    return most;
  else
    return count_fields<Settings, most - 1>();
}
template <class Settings>
void expect_all_visited() {
  std::size_t visited = 0;
  Settings settings;
  each_setting(settings, [&](char const*, auto&) { ++visited; });
  EXPECT_EQ(visited, count_fields<Settings>())
      << Settings::name << ": a setting that visit leaves out is neither saved nor compared when a training is resumed";
}

std::string refusal(std::string const& text) {
  try {
    (void)settings_from_json<PrefixTuning>("a.json", nlohmann::json::parse(text));
  } catch (FileError const& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST(SettingsJson, WrittenWithNamesOfEnumerators) {
  auto const json = settings_json(EmbeddingOnly{.length = 3,
                                                .place = Place::infix,
                                                .reparametrization = Mlp{.hidden = 7},
                                                .init = Init::words,
                                                .init_words = {{1, 2}, {3}}});
  EXPECT_EQ(json.at("length"), 3);
  EXPECT_EQ(json.at("place"), "infix");
  EXPECT_EQ(json.at("init"), "words");
  EXPECT_EQ(json.at("positions"), "automatic");
  EXPECT_EQ(json.at("init_words").dump(), "[[1,2],[3]]");
  EXPECT_EQ(json.at("reparametrization").dump(), R"({"hidden":7,"input":0,"layer_norm":false})");
  EXPECT_TRUE(settings_json(EmbeddingOnly{}).at("reparametrization").is_null());
}

TEST(SettingsJson, EverythingComesBack) {
  OwnSettings const own{.shade = Shade::dark,
                        .loud = true,
                        .count = -4,
                        .factor = 0.1,
                        .label = "ü",
                        .names = {"x", "y"},
                        .inner = Mlp{.hidden = 3, .input = 2, .layer_norm = true}};
  auto const back = settings_from_json<OwnSettings>("a.json", settings_json(own));
  EXPECT_EQ(back.shade, Shade::dark);
  EXPECT_TRUE(back.loud);
  EXPECT_EQ(back.count, -4);
  EXPECT_EQ(back.factor, 0.1);
  EXPECT_EQ(back.label, "ü");
  EXPECT_EQ(back.names, own.names);
  ASSERT_TRUE(back.inner.has_value());
  EXPECT_EQ(back.inner->hidden, 3);
  EXPECT_EQ(settings_json(back), settings_json(own));
}

TEST(SettingsJson, MissingAndNullKeepTheDefaultsAndUnknownIsPassedOver) {
  auto const read = settings_from_json<PrefixTuning>(
      "a.json", nlohmann::json::parse(R"({"length": 4, "dropout": null, "later": {"x": 1}})"));
  EXPECT_EQ(read.length, 4);
  EXPECT_EQ(read.dropout, 0.0);
  EXPECT_EQ(read.init_deviation, 1.0);
  EXPECT_FALSE(read.reparametrization.has_value());
}

TEST(SettingsJson, WrongValuesAreNamed) {
  for (std::string const text :
       {R"({"length": "ten"})", R"({"length": 1.5})", R"({"length": 1e30})", R"({"init": "magic"})", R"({"init": 3})",
        R"({"layers": 2})", R"({"layers": [0, "x"]})", R"({"layers": [99999999999]})", R"({"reparametrization": 5})",
        R"({"reparametrization": {"hidden": []}})", R"([1])"}) {
    auto const message = refusal(text);
    EXPECT_EQ(message.rfind("[a.json] has a wrong value at the key \"settings", 0), 0u) << text << " → " << message;
  }
  EXPECT_NE(refusal(R"({"init": "magic"})").find("normal, uniform, vocabulary, words"), std::string::npos);
  EXPECT_NE(refusal(R"({"reparametrization": {"hidden": []}})").find("settings.reparametrization.hidden"),
            std::string::npos);
}

TEST(SettingsJson, EveryFieldOfEveryStrategyIsVisited) {
  static_assert(count_fields<OwnSettings>() == 7);
  expect_all_visited<BitFit>();
  expect_all_visited<BottleneckAdapter>();
  expect_all_visited<ClassificationHead>();
  expect_all_visited<EmbeddingOnly>();
  expect_all_visited<FullFineTuning>();
  expect_all_visited<IA3>();
  expect_all_visited<InfixTuning>();
  expect_all_visited<LoRA>();
  expect_all_visited<ParallelAdapter>();
  expect_all_visited<PrefixTuning>();
  expect_all_visited<PromptTuning>();
  expect_all_visited<PTuning>();
  expect_all_visited<TopLayers>();
}
