// Choices of the one list of strategies, and their text.
#include <graft/any/choice.hpp>

#include <algorithm>

#include <graft/any/choose.hpp>

namespace graft::any {

template std::vector<StrategyInfo> describe<Strategies>();
template SettingUse setting_use_of<Strategies>(Choice const&, ModelInfo const&);
template std::string replaced_by_of<Strategies>(Choice const&, std::string const&, ModelInfo const&);
template Chosen<Strategies> choose<Strategies>(Choice const&, ModelInfo const&);

namespace {

/// Of a text with `\:` and `\\`: its parts between colons, without the backslashes.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const escaped = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ':' || text[i + 1] == '\\');
    if (escaped)
      parts.back() += text[++i];
    else if (text[i] == ':')
      parts.emplace_back();
    else
      parts.back() += text[i];
  }
  return parts;
}

/// Before `init_text` in a setting's name, where it is one: empty, or the name of a part and a dot.
std::optional<std::string> before_init_text(std::string const& name) {
  std::string_view constexpr last = "init_text";
  if (!name.ends_with(last)) return std::nullopt;
  std::string before = name.substr(0, name.size() - last.size());
  if (!before.empty() && before.back() != '.') return std::nullopt;
  return before;
}

/// With words of one token in the place of `init_text`, so that everything else can be checked without a tokenizer.
Choice with_some_words(Choice choice) {
  encode_words(choice, [](std::string const&) { return std::vector<Token>{0}; });
  return choice;
}

}  // namespace

std::vector<StrategyInfo> const& strategies() {
  static std::vector<StrategyInfo> const all = describe<Strategies>();
  return all;
}

StrategyInfo const& strategy_info(std::string_view name) {
  for (auto const& info : strategies())
    if (info.name == name) return info;
  detail::with_entry<Strategies>(name, []<class Entry>() {});  // refuses it
  return strategies().front();
}

bool exists(std::string_view strategy, ModelInfo const& model) {
  bool found = false;
  detail::with_entry<Strategies>(strategy, [&]<class Entry>() { found = offered<Entry>(model.classifies); });
  return found;
}

std::pair<std::string, std::string> parse_assignment(std::string_view text) {
  std::size_t const at = text.find('=');
  if (at == 0 || at == std::string_view::npos || at + 1 == text.size())
    fail<ConfigError>("[settings] got ", printable(text), "; expected NAME=VALUE");
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

Choice parse_choice(std::string_view text) {
  auto const parts = parts_of(text);
  Choice choice{.strategy = parts.front()};
  if (choice.strategy.empty())
    fail<ConfigError>("[strategy] got ", printable(text), "; expected NAME or NAME:SETTING=VALUE:…");
  for (std::size_t i = 1; i < parts.size(); ++i) choice.settings.push_back(parse_assignment(parts[i]));
  return choice;
}

std::string to_string(Choice const& choice) {
  auto const escaped = [](std::string const& value) {
    std::string text;
    for (char const c : value) {
      if (c == ':' || c == '\\') text += '\\';
      text += c;
    }
    return text;
  };
  std::string text = escaped(choice.strategy);
  for (auto const& [name, value] : choice.settings) text += ":" + escaped(name) + "=" + escaped(value);
  return text;
}

void check(Choice const& choice, ModelInfo const& model) {
  static_cast<void>(choose<Strategies>(with_some_words(choice), model));
}

SettingUse setting_use(Choice const& choice, ModelInfo const& model) {
  Choice const whole = with_some_words(choice);
  auto use = setting_use_of<Strategies>(whole, model);
  auto const is_given = [&](std::string const& name) {
    return std::any_of(choice.settings.begin(), choice.settings.end(), [&](auto const& s) { return s.first == name; });
  };
  std::vector<std::string> unread;
  for (auto const& name : use.unread) {  // under the names that they were given
    std::string const text = name.ends_with("init_words") ? name.substr(0, name.size() - 5) + "text" : "";
    if (is_given(name))
      unread.push_back(name);
    else if (!text.empty() && is_given(text))
      unread.push_back(text);
  }
  return {std::move(use.read), std::move(unread)};
}

std::string replaced_by(Choice const& choice, std::string const& unread, ModelInfo const& model) {
  for (auto const& [name, text] : choice.settings) {
    if (name == unread) continue;
    Choice without = choice;
    std::erase_if(without.settings, [&, &other = name](auto const& setting) { return setting.first == other; });
    auto const still = setting_use(without, model).unread;
    if (std::find(still.begin(), still.end(), unread) == still.end()) return name;
  }
  return {};
}

std::vector<std::string> full_names(std::string_view strategy, std::string_view setting) {
  std::vector<std::string> names;
  detail::with_entry<Strategies>(strategy, [&]<class Entry>() {
    auto settings = entry_settings<Entry>();
    std::vector<SettingInfo> known;
    describe_settings(known, settings);
    for (auto const& info : known) {
      bool const part_of = IsComposed<decltype(settings)>::value && info.name.ends_with(setting) &&
                           info.name.find('.') == info.name.size() - setting.size() - 1;
      if (info.name == setting || part_of) names.push_back(info.name);
    }
  });
  return names;
}

void encode_words(Choice& choice, Encode const& encode) {
  for (std::size_t i = 0; i < choice.settings.size(); ++i) {
    auto const before = before_init_text(choice.settings[i].first);
    if (!before || full_names(choice.strategy, *before + "init_words").empty()) continue;
    std::string words;
    for (Token token : encode(choice.settings[i].second)) words += (words.empty() ? "" : "+") + std::to_string(token);
    if (words.empty())
      fail<ConfigError>("[", choice.strategy, "] got ", choice.settings[i].first, " ",
                        printable(choice.settings[i].second), ", which has no tokens; expected words to start from");
    auto const init = std::find_if(choice.settings.begin(), choice.settings.end(),
                                   [&](auto const& setting) { return setting.first == *before + "init"; });
    if (init != choice.settings.end() && init->second != "words")
      fail<ConfigError>("[", choice.strategy, "] got ", choice.settings[i].first, " beside ", init->first, " ",
                        init->second, "; expected init words, or init left out");
    choice.settings[i] = {*before + "init_words", words};
    if (init == choice.settings.end()) choice.settings.emplace_back(*before + "init", "words");
  }
}

}  // namespace graft::any
