// The documentation's choices at run time: graft::any, and a strategy of one's own in its list.
#include <graft/any/any_model.hpp>
#include <graft/any/load_base.hpp>
#include <graft/io/load_tokenizer.hpp>

#include <nlohmann/json.hpp>

#include "docs/tiny_model.hpp"
#include "docs/vera.hpp"

namespace {

class Any : public docs::Docs {};

std::vector<graft::TokenizedExample> some_examples() { return {{{5, 9, 3}, {7, 2}}, {{4, 4}, {1, 8, 6}, 1}}; }

TEST_F(Any, AdaptsWhateverModelAsTextSays) {
  auto const examples = some_examples();
  auto tokenizer = graft::load_tokenizer("SmolLM2-135M");
  //! [choose]
  auto base = graft::any::load_base("SmolLM2-135M");  // whatever architecture it is
  auto choice = graft::any::parse_choice("lora:rank=4:targets=q_proj+v_proj");
  graft::any::check(choice, base->info());  // one sentence for whatever cannot be meant
  auto model = base->adapt(choice);
  auto const report = model->fit({.epochs = 5, .learning_rate = 1e-2}, examples, {});
  model->save("lora");
  auto loaded = base->load("lora");
  auto const texts = loaded->generate({tokenizer.encode("the")}, graft::Greedy{.max_new_tokens = 5});
  //! [choose]
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  EXPECT_EQ(model->identity().at("strategy").at("settings").at("rank"), 4);
  EXPECT_EQ(texts.size(), 1U);
  EXPECT_NEAR(loaded->loss(examples), model->loss(examples), 1e-5);
}

TEST_F(Any, SaysWhatThereIs) {
  std::string shown;
  //! [list]
  for (auto const& strategy : graft::any::strategies())
    for (auto const& setting : strategy.settings)
      shown += strategy.name + ":" + setting.name + "=" + setting.fallback + "  " + setting.help + "\n";
  //! [list]
  EXPECT_NE(shown.find("lora:rank=8  r, the rank of the trained product\n"), std::string::npos);
  EXPECT_NE(shown.find("prefix_mlp:reparametrization.hidden=512  "), std::string::npos);
}

//! [words]
/// A prefix that starts as the activations of a text.
graft::any::Choice choice_with_words(graft::Tokenizer const& tokenizer) {
  auto choice = graft::any::parse_choice("prefix:length=5:init_text=describe the restaurant");
  graft::any::encode_words(choice, [&](std::string const& text) { return tokenizer.encode(text); });
  return choice;
}
//! [words]

TEST_F(Any, StartsFromWords) {
  auto const base = graft::any::load_base("SmolLM2-135M");
  auto const choice = choice_with_words(graft::load_tokenizer("SmolLM2-135M"));
  auto const settings = base->adapt(choice)->identity().at("strategy").at("settings");
  EXPECT_EQ(settings.at("init"), "words");
  EXPECT_GT(settings.at("init_words").size(), 1U);
}

//! [own list]
using MyStrategies = graft::any::StrategyList<graft::NoAdaptation, graft::LoRA, VeRA>;
//! [own list]

TEST_F(Any, OffersAStrategyOfOnesOwn) {
  auto const examples = some_examples();
  //! [own base]
  auto base = graft::any::load_base<MyStrategies, graft::Llama>("SmolLM2-135M");
  auto model = base->adapt(graft::any::parse_choice("vera:rank=4:matrices=3"));
  model->step(examples, 2e-2, 0);
  model->save("vera");
  auto loaded = base->load("vera");
  //! [own base]
  EXPECT_NEAR(loaded->loss(examples), model->loss(examples), 1e-5);
  auto const settings = loaded->identity().at("strategy").at("settings");
  EXPECT_EQ(settings.at("rank"), 4);
  EXPECT_EQ(settings.at("matrices"), 3);
  EXPECT_EQ(graft::any::describe<MyStrategies>().back().settings.front().help, "r, the rows of A and the columns of B");
  EXPECT_THROW((void)base->adapt(graft::any::parse_choice("vera:rank=0")), graft::ConfigError);
  EXPECT_THROW((void)base->adapt(graft::any::parse_choice("vera:rnk=4")), graft::ConfigError);
  EXPECT_THROW((void)base->adapt(graft::any::parse_choice("ia3")), graft::ConfigError);  // not in this list
  using All = graft::any::Append<graft::any::Strategies, VeRA>;
  static_assert(std::variant_size_v<All::Settings> == std::variant_size_v<graft::any::Strategies::Settings> + 1);
}

}  // namespace
