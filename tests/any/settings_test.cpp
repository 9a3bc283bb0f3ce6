// Every setting of every strategy through text: each is given a value that is not its default, and the adapted model
// has it. And every strategy trains, is saved and comes back.
#include <gtest/gtest.h>

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "any/models.hpp"

namespace {

using namespace graft;

using Settings = std::vector<std::pair<std::string, std::string>>;

class EverySetting : public any_models::Models {};

/// Values that a setting may have, as text; those that the strategy or the model refuses are passed over.
std::vector<std::string> values_of(any::SettingInfo const& setting, ModelInfo const& model) {
  if (!setting.choices.empty()) return setting.choices;
  if (setting.type == "true or false") return {"true", "false"};
  if (setting.type == "none or on") return {"none", "on"};
  if (setting.type == "a number") return {"0.25", "0.5"};
  if (setting.type == "a whole number") return {"2", "3", "1"};
  if (setting.type.starts_with("words")) return {"3+4/5"};
  if (setting.type.starts_with("values")) return {"1"};
  std::vector<std::string> names;
  for (auto const& site : model.sites)
    if (site.role == Role::weight) names.push_back(site.short_name);
  return names;
}

/// What makes other settings matter: words to start from, an MLP, an LSTM.
std::vector<Settings> companions_of(std::string const& part) {
  Settings const words{{part + "init", "words"}, {part + "init_words", "1+2"}};
  Settings const mlp{{part + "reparametrization", "on"}}, none{{part + "reparametrization", "none"}};
  std::vector<Settings> all{{}, {{part + "encoder", "lstm"}}, words, mlp, none};
  all.push_back({{part + "init", "normal"}});
  for (auto const* with : {&mlp, &none})
    for (auto const& more : {words, Settings{{part + "init", "normal"}}}) {
      all.push_back(*with);
      all.back().insert(all.back().end(), more.begin(), more.end());
    }
  return all;
}

/// A JSON value as the text that stands for it.
std::string text_of(nlohmann::json const& json, bool outer = true) {
  if (json.is_null()) return "none";
  if (json.is_object()) return "on";
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return json.dump();
  std::string text;
  for (auto const& element : json) text += (text.empty() ? "" : outer ? "+" : "/") + text_of(element, false);
  return text.empty() ? "none" : text;
}

/// The setting of that dotted name in a model's identity.
std::string in_model(nlohmann::json strategy, std::string const& kind, std::string name) {
  if (strategy.contains("parts")) {  // of a composition, or of a strategy beside a head
    std::size_t part = 0;
    for (auto const& [first, number] : {std::pair{"prefix.", 0U}, {"lora.", 1U}, {"parallel_adapter.", 1U}})
      if ((kind == "mam" || kind == "prefix_lora") && name.starts_with(first)) {
        part = number, name = name.substr(std::string(first).size());
        break;
      }
    strategy = nlohmann::json(strategy.at("parts").at(part));
  }
  nlohmann::json at = strategy.at("settings");
  for (std::size_t begin = 0; begin <= name.size();) {
    std::size_t const end = std::min(name.find('.', begin), name.size());
    at = nlohmann::json(at.at(name.substr(begin, end - begin)));
    begin = end + 1;
  }
  return text_of(at);
}

bool same_value(std::string const& a, std::string const& b) {
  char *end_a = nullptr, *end_b = nullptr;
  double const x = std::strtod(a.c_str(), &end_a), y = std::strtod(b.c_str(), &end_b);
  bool const numbers = end_a != a.c_str() && *end_a == '\0' && end_b != b.c_str() && *end_b == '\0';
  return numbers ? x == y : a == b;
}

/// The first choice with the setting away from its default that some model accepts, and that model's name.
std::optional<std::pair<std::string, any::Choice>> choice_of(any::StrategyInfo const& strategy,
                                                             any::SettingInfo const& setting,
                                                             std::map<std::string, ModelInfo const*> const& models) {
  std::string const part = strategy.name == "mam" || strategy.name == "prefix_lora" ? "prefix." : "";
  for (std::string const name : {"gpt2", "bart", "bert"}) {
    if (!any::exists(strategy.name, *models.at(name))) continue;
    for (auto const& companions : companions_of(part))
      for (auto const& value : values_of(setting, *models.at(name))) {
        if (same_value(value, setting.fallback)) continue;
        any::Choice choice{.strategy = strategy.name, .settings = companions};
        std::erase_if(choice.settings, [&](auto const& one) {
          return one.first == setting.name;  // or the reparametrization that the setting is in
        });
        choice.settings.emplace_back(setting.name, value);
        if (any_models::refusal([&] { any::check(choice, *models.at(name)); }).empty()) return {{name, choice}};
      }
  }
  return std::nullopt;
}

TEST_F(EverySetting, IsReachedByText) {
  std::map<std::string, ModelInfo const*> const models{
      {"gpt2", &info("gpt2")}, {"bart", &info("bart")}, {"bert", &info("bert")}};
  std::size_t reached = 0;
  for (auto const& strategy : any::strategies())
    for (auto const& setting : strategy.settings) {
      auto const found = choice_of(strategy, setting, models);
      if (strategy.name == "infix" && setting.name == "scope") {  // a prefix's: an infix has one place in every model
        EXPECT_FALSE(found);
        continue;
      }
      ASSERT_TRUE(found) << strategy.name << " " << setting.name << ": no model accepts a value but the default";
      auto const& [name, choice] = *found;
      SCOPED_TRACE(any::to_string(choice) + " on " + name);
      auto const model = base(name).adapt(choice);
      std::string const got = in_model(model->identity().at("strategy"), strategy.name, setting.name);
      EXPECT_TRUE(same_value(got, choice.settings.back().second)) << got;
      EXPECT_FALSE(same_value(got, setting.fallback)) << got;
      ++reached;
    }
  EXPECT_GT(reached, 90U);
}

TEST_F(EverySetting, OfAStrategyHasTheDefaultThatIsSaid) {
  for (auto const& strategy : any::strategies())
    for (std::string const name : {"gpt2", "bert"}) {
      if (!any::exists(strategy.name, info(name)) || strategy.name == "none") continue;
      auto const identity = base(name).adapt({.strategy = strategy.name})->identity().at("strategy");
      for (auto const& setting : strategy.settings) {
        if (setting.name.find("reparametrization.") != std::string::npos && strategy.name != "prefix_mlp" &&
            strategy.name != "embedding")
          continue;  // of an MLP that is not there
        EXPECT_TRUE(same_value(in_model(identity, strategy.name, setting.name), setting.fallback))
            << strategy.name << " " << setting.name << " on " << name;
      }
    }
}

TEST_F(EverySetting, OfEveryStrategyComesBackFromAFolder) {
  for (auto const& strategy : any::strategies())
    for (std::string const name : {"gpt2", "bart", "bert"}) {
      if (!any::exists(strategy.name, info(name)) || strategy.name == "none") continue;
      SCOPED_TRACE(strategy.name + " on " + name);
      auto const model = base(name).adapt({.strategy = strategy.name, .labels = name == "bert" ? 3 : 0});
      double const before = model->loss(examples(name));
      EXPECT_NEAR(model->step(examples(name), 1e-2, 0), before, 1e-3);
      double const after = model->loss(examples(name));
      EXPECT_NE(after, before);
      auto const folder = this->folder() / (strategy.name + "_" + name);
      model->save(folder);
      EXPECT_NEAR(base(name).load(folder)->loss(examples(name)), after, 1e-5);
    }
}

TEST_F(EverySetting, OfAnUnknownFolderIsRefused) { EXPECT_THROW((void)base("gpt2").load(folder()), FileError); }

}  // namespace
