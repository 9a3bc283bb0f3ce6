/// @file
/// @brief The settings of a strategy, or of a composition's parts, by name: described, assigned, and asked for their
/// effect.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <graft/any/choice.hpp>
#include <graft/any/setting_text.hpp>
#include <graft/any/strategy_list.hpp>

namespace graft::any {

namespace detail {

/// What is left of a dotted name behind its first part, if that is `first`; else nothing.
[[nodiscard]] inline std::optional<std::string_view> behind(std::string_view name, std::string_view first) {
  if (name.size() <= first.size() + 1 || !name.starts_with(first) || name[first.size()] != '.') return std::nullopt;
  return name.substr(first.size() + 1);
}

template <class Settings>
void describe_into(std::vector<SettingInfo>& all, Settings const& settings, std::string const& path) {
  each_setting(settings, [&](char const* name, auto const& field, char const* help) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (VisitedSettings<Field>) {
      describe_into(all, field, path + name + ".");
    } else {
      all.push_back({path + name, setting_type<Field>(), setting_text(field), help, setting_choices<Field>()});
      if constexpr (is_optional<Field>)
        if constexpr (VisitedSettings<typename Field::value_type>)
          describe_into(all, field.value_or(typename Field::value_type{}), path + name + ".");
    }
  });
}

/// Assigns the setting of that name; settings of an optional come into being with it.
template <class Settings>
[[nodiscard]] bool assign_field(Settings& settings, SettingPlace const& at, std::string_view name,
                                std::string_view text) {
  bool found = false;
  each_setting(settings, [&](char const* own, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    [[maybe_unused]] auto const inner = behind(name, own);
    if constexpr (VisitedSettings<Field>) {
      if (inner) found = assign_field(field, at, *inner, text) || found;
    } else {
      if (name == own) field = parse_setting<Field>(at, text), found = true;
      if constexpr (is_optional<Field>)
        if constexpr (VisitedSettings<typename Field::value_type>)
          if (inner) {
            auto value = field.value_or(typename Field::value_type{});
            if (assign_field(value, at, *inner, text)) field = std::move(value), found = true;
          }
    }
  });
  return found;
}

template <class Part>
[[nodiscard]] std::string part_prefix(std::string const& path) {
  return path + std::string(entry_name<Part>()) + ".";
}

}  // namespace detail

/// All settings with their values as text, in the order of `visit`; those of a composition's parts have the part's
/// name before them.
template <class Settings>
void describe_settings(std::vector<SettingInfo>& all, Settings const& settings, std::string const& path = "") {
  if constexpr (IsComposed<Settings>::value)
    std::apply([&]<class... Parts>(
                   Parts const&... part) { (describe_settings(all, part, detail::part_prefix<Parts>(path)), ...); },
               settings.parts);
  else
    detail::describe_into(all, settings, path);
}

/// Gives the setting of that name its value from a text; without a part's name, in every part that has it.
/// @returns the full names of the settings that got the value; none where the name is unknown
/// @throws ConfigError for a text that is no value of the setting's type
template <class Settings>
[[nodiscard]] std::vector<std::string> assign_setting(Settings& settings, SettingPlace const& at, std::string_view name,
                                                      std::string_view text, std::string const& path = "") {
  std::vector<std::string> full;
  if constexpr (IsComposed<Settings>::value) {
    auto const add = [&](std::vector<std::string> const& more) { full.insert(full.end(), more.begin(), more.end()); };
    std::apply(
        [&]<class... Parts>(Parts&... part) {
          bool const named = (detail::behind(name, entry_name<Parts>()).has_value() || ...);
          auto const assign = [&]<class Part>(Part& own) {
            auto const inner = detail::behind(name, entry_name<Part>());
            if (inner || !named)
              add(assign_setting(own, at, inner.value_or(name), text, detail::part_prefix<Part>(path)));
          };
          (assign(part), ...);
        },
        settings.parts);
  } else if (detail::assign_field(settings, at, name, text)) {
    full.push_back(path + std::string(name));
  }
  return full;
}

/// Whether a setting has an effect beside the others on a model, as the strategy's `reads` says where it has one.
template <class Settings>
[[nodiscard]] bool reads_setting(Settings const& settings, std::string_view name, ModelInfo const& model) {
  if constexpr (IsComposed<Settings>::value) {
    return std::apply(
        [&]<class... Parts>(Parts const&... part) {
          auto const asked = [&]<class Part>(Part const& own) {
            auto const inner = detail::behind(name, entry_name<Part>());
            return inner && reads_setting(own, *inner, model);
          };
          return (asked(part) || ...);
        },
        settings.parts);
  } else if constexpr (requires { settings.reads(name, model); }) {
    return settings.reads(name, model);
  } else {
    return true;
  }
}

/// Ranges and what else a strategy, or a composition's part, refuses before anything is computed.
/// @throws ConfigError
template <class Settings>
void check_settings(Settings const& settings, ModelInfo const& model) {
  if constexpr (IsComposed<Settings>::value)
    std::apply([&](auto const&... part) { (check_settings(part, model), ...); }, settings.parts);
  else if constexpr (requires { settings.check(model); })
    settings.check(model);
  if constexpr (requires { settings.init == Init::words&& settings.init_words.empty(); })
    if (settings.init == Init::words && settings.init_words.empty())
      fail<ConfigError>("[", entry_name<Settings>(),
                        "] got init words without words; expected init_text or init_words");
}

}  // namespace graft::any
