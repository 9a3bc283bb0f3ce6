// Choices as text: what is read, what is refused, and in which words.
#include <gtest/gtest.h>

#include <graft/any/erased_model.hpp>
#include <graft/any/setting_text.hpp>

#include "any/models.hpp"

namespace {

using namespace graft;
using any_models::refusal;

class ChoiceTest : public any_models::Models {
 protected:
  /// The sentence for a choice in the form of the command line.
  static std::string refused(std::string const& text, std::string const& model = "gpt2") {
    return refusal([&] { any::check(any::parse_choice(text), info(model)); });
  }
};

TEST(ChoiceText, IsReadAndWrittenBack) {
  auto const choice = any::parse_choice("lora:rank=4:targets=q_proj+v_proj");
  EXPECT_EQ(choice.strategy, "lora");
  ASSERT_EQ(choice.settings.size(), 2U);
  EXPECT_EQ(choice.settings[0], (std::pair<std::string, std::string>("rank", "4")));
  EXPECT_EQ(choice.settings[1].second, "q_proj+v_proj");
  for (std::string const text : {"lora", "prefix:reparametrization.hidden=256", "prompt:init_text=a\\:b\\\\c=d"})
    EXPECT_EQ(any::to_string(any::parse_choice(text)), text);
  EXPECT_EQ(any::parse_choice("prompt:init_text=a\\:b\\\\c=d").settings.front().second, "a:b\\c=d");
}

TEST(ChoiceText, OfAnotherFormIsRefused) {
  for (std::string const text : {"", ":rank=4", "lora:", "lora:rank", "lora:=4", "lora:rank=", "lora::rank=4"})
    EXPECT_NE(refusal([&] { (void)any::parse_choice(text); }).find("; expected NAME"), std::string::npos) << text;
}

TEST(SettingText, OfEveryKindComesBack) {
  auto const same = []<class T>(T const& value, std::string const& text) {
    EXPECT_EQ(any::setting_text(value), text);
    EXPECT_EQ(any::parse_setting<T>({"s", "x"}, text), value) << text;
  };
  same(true, "true"), same(false, "false");
  same(Index{12}, "12"), same(-3, "-3"), same(std::uint64_t{18446744073709551615U}, "18446744073709551615");
  same(0.5, "0.5"), same(1e-05, "1e-05"), same(std::string("ü"), "ü");
  same(Init::words, "words"), same(std::optional<Index>(), "none"), same(std::optional<Index>(4), "4");
  same(std::vector<int>{}, "none"), same(std::vector<int>{3, 0}, "3+0");
  same(std::vector<std::string>{"a", "b"}, "a+b");
  same(std::vector<std::vector<Token>>{{1, 2}, {3}}, "1/2+3");
}

TEST(SettingText, OfAnotherKindIsRefused) {
  auto const refused = []<class T>(T const&, std::string const& text) {
    return refusal([&] { (void)any::parse_setting<T>({"lora", "x"}, text); });
  };
  for (std::string const text : {"", "x", "1.5", "1e3", "2147483648", "99999999999999999999", " 1", "+1", "1 "})
    EXPECT_EQ(refused(Index{}, text).rfind("[lora] got x ", 0), 0U) << text;
  for (std::string const text : {"", "x", "nan", "inf", "1e39", "0x1", "1,5"})
    EXPECT_NE(refused(double{}, text).find("expected a number"), std::string::npos) << text;
  for (std::string const text : {"", "yes", "1", "True"})
    EXPECT_EQ(refused(bool{}, text), "[lora] got x " + printable(text) + "; expected true or false");
  EXPECT_EQ(refused(Init{}, "magic"), "[lora] got x \"magic\"; expected one of normal, uniform, vocabulary, words");
  EXPECT_NE(refused(std::uint64_t{}, "-1").find("from 0 to 18446744073709551615"), std::string::npos);
  EXPECT_NE(refused(std::vector<int>{}, "1++2").find("none of them empty"), std::string::npos);
  EXPECT_NE(refused(std::vector<int>{}, "99999999999").find("at most 2147483647"), std::string::npos);
}

TEST_F(ChoiceTest, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_EQ(refused("lroa").rfind("[strategy] got \"lroa\"; expected one of none, prefix, ", 0), 0U);
  EXPECT_TRUE(refused("lroa").ends_with("; hint: did you mean lora?"));
  EXPECT_TRUE(refused("prefix_tuning").ends_with("; hint: did you mean prefix?"));
  EXPECT_EQ(
      refused("lora:rnak=4"),
      "[lora] got the setting \"rnak\"; expected one of rank, alpha, targets, dropout, rank_stabilized; hint: did "
      "you mean rank?");
  EXPECT_TRUE(refused("prefix:hidden=4").ends_with("; hint: did you mean reparametrization.hidden?"));
  EXPECT_NE(refused("none:rank=4").find("expected none, for it has no settings"), std::string::npos);
  EXPECT_NE(refusal([] { (void)any::strategy_info("sorcery"); }).find("expected one of none, prefix"),
            std::string::npos);
}

TEST_F(ChoiceTest, BadValuesAreRefusedBeforeAnythingIsComputed) {
  EXPECT_EQ(refused("lora:rank=x"), "[lora] got rank \"x\"; expected a whole number, at most 2147483647");
  EXPECT_EQ(refused("lora:rank=0"), "[lora] got rank 0; expected at least 1");
  EXPECT_EQ(refused("lora:dropout=1"), "[lora] got dropout 1; expected 0 or more, and less than 1");
  EXPECT_NE(refused("lora:targets=c_attn+lm_head").find("which is the head"), std::string::npos);
  EXPECT_NE(refused("prefix:length=0").find("length 0; expected at least 1"), std::string::npos);
  EXPECT_NE(refused("prefix:layers=0+3").find("got layer 3; expected 0 to 2"), std::string::npos);
  EXPECT_NE(refused("prefix:layers=1+1").find("twice"), std::string::npos);
  EXPECT_EQ(refused("prefix:init=words"), "[prefix] got init words without words; expected init_text or init_words");
  EXPECT_NE(refused("prefix:init=vocabulary").find("expected normal, uniform or words"), std::string::npos);
  EXPECT_NE(refused("prefix:reparametrization.hidden=0").find("hidden width 0"), std::string::npos);
  EXPECT_NE(refused("adapter:share=2").find("share 2; expected 0 to 1"), std::string::npos);
  EXPECT_NE(refused("parallel_adapter:bottleneck=0").find("bottleneck 0"), std::string::npos);
  EXPECT_NE(refused("parallel_adapter:placement=houlsby").find("feed_forward, attention, both"), std::string::npos);
  EXPECT_NE(refused("top_layers:layers=9").find("expected 1 to 3"), std::string::npos);
  EXPECT_NE(refused("prompt:submodules=3").find("expected 1 or 2"), std::string::npos);
  EXPECT_NE(refused("prompt:init_deviation=-1:init=normal").find("expected 0 or more"), std::string::npos);
  EXPECT_NE(refused("p_tuning:layers=0:encoder=lstm").find("layers 0"), std::string::npos);
}

TEST_F(ChoiceTest, WhatIsGivenTwiceIsRefused) {
  EXPECT_EQ(refused("lora:rank=4:rank=8"), "[lora] got the setting rank twice; expected it once");
  EXPECT_EQ(refused("prefix_lora:lora.rank=4:rank=8"),
            "[prefix_lora] got the setting rank twice, also as lora.rank; expected it once");
  EXPECT_NE(refused("prefix_mlp:reparametrization=none:reparametrization.hidden=4").find("expected one of them"),
            std::string::npos);
}

TEST_F(ChoiceTest, WhatHasNoEffectIsRefused) {
  EXPECT_EQ(refused("prompt:init_deviation=0.5"),
            "[prompt] got the setting init_deviation, which has no effect on a gpt2 model; expected it left out");
  EXPECT_EQ(refused("adapter:share=0.2:bottleneck=4"),
            "[adapter] got the setting bottleneck, which has no effect beside share; expected it left out");
  for (std::string const text :
       {"prefix_mlp:init=uniform", "prefix:scope=decoder", "prefix:init_words=1", "prefix:embed_words_as_input=true",
        "prompt:side=target", "prompt:pooling=first_token", "prompt:init_words=1", "prompt:fill_from_vocabulary=true",
        "embedding:init_deviation=0.5:init=normal", "embedding:reparametrization.input=4", "p_tuning:dropout=0.1",
        "p_tuning:layers=3", "p_tuning:flat=true:hidden=4", "bitfit:head=true", "full:head=true"})
    EXPECT_NE(refused(text).find("which has no effect"), std::string::npos) << text << " → " << refused(text);
  EXPECT_NE(refused("prompt:fill_from_vocabulary=true:init_sample=9", "bert").find("no effect"), std::string::npos);
  for (std::string const text : {"lora:head.restart=true", "lora:head.labels=3"})
    EXPECT_NE(refused(text).find("no effect"), std::string::npos) << text;  // gpt2 has no classifier's head
}

TEST_F(ChoiceTest, StrategiesThatAModelLacksAreRefused) {
  EXPECT_EQ(refused("head"), "[strategy] got head for a gpt2 model; expected an encoder (bert, roberta)");
  EXPECT_NE(refused("infix", "bert").find("an infix stands between a source and a target"), std::string::npos);
  EXPECT_NE(refused("mam", "bert").find("expected a strategy for classifiers"), std::string::npos);
  EXPECT_TRUE(any::exists("head", info("bert")) && !any::exists("head", info("gpt2")));
  EXPECT_TRUE(any::exists("infix", info("gpt2")) && !any::exists("infix", info("bert")));
}

TEST_F(ChoiceTest, ASettingWithoutAPartIsThatOfAllPartsThatHaveIt) {
  EXPECT_EQ(any::full_names("prefix_lora", "dropout"), (std::vector<std::string>{"prefix.dropout", "lora.dropout"}));
  EXPECT_EQ(any::full_names("prefix_lora", "reparametrization.hidden"),
            (std::vector<std::string>{"prefix.reparametrization.hidden"}));
  EXPECT_EQ(any::full_names("prefix_lora", "hidden"), std::vector<std::string>());
  auto const model = base("gpt2").adapt(any::parse_choice("prefix_lora:dropout=0.5:rank=3"));
  auto const parts = model->identity().at("strategy").at("parts");
  EXPECT_EQ(parts.at(0).at("settings").at("dropout"), 0.5);
  EXPECT_EQ(parts.at(1).at("settings").at("dropout"), 0.5);
  EXPECT_EQ(parts.at(1).at("settings").at("rank"), 3);
}

TEST_F(ChoiceTest, WordsAreEncodedWhenTheTokenizerIsThere) {
  auto choice = any::parse_choice("prompt:init_text=one two");
  any::check(choice, info("gpt2"));
  EXPECT_NE(refusal([&] { (void)base("gpt2").adapt(choice); }), "");  // not yet
  any::encode_words(choice, [](std::string const& text) {
    EXPECT_EQ(text, "one two");
    return std::vector<Token>{5, 7};
  });
  auto const settings = base("gpt2").adapt(choice)->identity().at("strategy").at("settings");
  EXPECT_EQ(settings.at("init"), "words");
  EXPECT_EQ(settings.at("init_words").dump(), "[[5],[7]]");
  EXPECT_NE(refused("prompt:init=normal:init_text=x").find("expected init words"), std::string::npos);
  EXPECT_NE(refused("lora:init_text=x").find("got the setting \"init_text\""), std::string::npos);
  auto empty = any::parse_choice("prompt:init_text=x");
  EXPECT_NE(
      refusal([&] { any::encode_words(empty, [](auto const&) { return std::vector<Token>(); }); }).find("no tokens"),
      std::string::npos);
}

TEST_F(ChoiceTest, AHeadIsTrainedBesideTheStrategyOrByIt) {
  auto const parts = [](std::string const& text) {
    return base("bert").adapt(any::parse_choice(text))->identity().at("strategy");
  };
  auto const beside = parts("lora:head.labels=5:head.restart=true");
  EXPECT_EQ(beside.at("parts").at(1).at("graft_type"), "classification_head");
  EXPECT_EQ(beside.at("parts").at(1).at("settings").at("labels"), 5);
  EXPECT_EQ(beside.at("parts").at(1).at("settings").at("restart"), true);
  EXPECT_EQ(parts("full:head=true").at("graft_type"), "full");
  EXPECT_EQ(parts("full").at("parts").at(0).at("settings").at("head"), false);
  EXPECT_NE(refused("full:head=true:head.restart=true", "bert").find("no effect beside head"), std::string::npos);
  auto choice = any::parse_choice("lora:head.labels=2");
  choice.labels = 3;  // classes of the data
  EXPECT_NE(refusal([&] { any::check(choice, info("bert")); }).find("labels 2; expected at least 3"),
            std::string::npos);
  choice = any::parse_choice("bitfit:head=true");
  choice.labels = 3;
  EXPECT_NE(refusal([&] { any::check(choice, info("bert")); }).find("expected the model's own, 2"), std::string::npos);
}

TEST_F(ChoiceTest, AnErasedModelServesALoopOfOnesOwn) {
  for (std::string const name : {"gpt2", "bart", "bert"}) {
    auto const model = base(name).adapt(any::parse_choice("lora:rank=2"));
    any::ErasedModel& erased = model->erased();
    EXPECT_EQ(erased.parameters().size(), model->parameters().size());
    Batch batch;
    for (auto const& example : examples(name)) erased.append(batch, example);
    NoGrad const no_grad;
    auto const scores = erased.scores(batch).log_probability;
    double sum = 0;
    for (Index i = 0; i < scores.value().size(); ++i) sum -= static_cast<double>(scores.value().data()[i]);
    EXPECT_NEAR(sum / static_cast<double>(scores.value().size()), model->loss(examples(name)), 1e-5) << name;
  }
}

TEST(StrategyList, SaysWhatEveryStrategyIs) {
  for (auto const& info : any::strategies()) {
    EXPECT_FALSE(info.summary.empty()) << info.name;
    EXPECT_EQ(info.learning_rate > 0, info.name != "none") << info.name;
    for (auto const& setting : info.settings) {
      EXPECT_FALSE(setting.help.empty()) << info.name << " " << setting.name;
      EXPECT_FALSE(setting.fallback.empty()) << info.name << " " << setting.name;
    }
  }
}

}  // namespace
