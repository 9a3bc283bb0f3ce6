/// @file
/// @brief A strategy's settings as a list of names and values, for those who hold strategies of several types.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <graft/adaptation/visit_settings.hpp>
#include <graft/core/error.hpp>

namespace graft {

/// An absent optional, a number (an enumerator's too), a text.
using SettingValue = std::variant<std::monostate, bool, std::int64_t, double, std::string>;
struct Setting {
  std::string path;  ///< names joined by dots, such as reparametrization.hidden; elements of lists by their number
  SettingValue value;
};

namespace detail {

template <class T>
void list_value(std::vector<Setting>& all, std::string const& path, T const& value);

/// What `visit` names of an aggregate, under `path`.
template <class T>
void list_fields(std::vector<Setting>& all, std::string const& path, T const& settings) {
  each_setting(settings, [&](char const* name, auto const& field) {
    list_value(all, path.empty() ? name : cat(path, ".", name), field);
  });
}
template <class T>
void list_value(std::vector<Setting>& all, std::string const& path, T const& value) {
  if constexpr (std::is_same_v<T, bool>) {
    all.push_back({path, value});
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    all.push_back({path, static_cast<std::int64_t>(value)});
  } else if constexpr (std::is_floating_point_v<T>) {
    all.push_back({path, static_cast<double>(value)});
  } else if constexpr (std::is_convertible_v<T const&, std::string>) {
    all.push_back({path, std::string(value)});
  } else if constexpr (requires { value.has_value(); }) {
    if (value)
      list_value(all, path, *value);
    else
      all.push_back({path, {}});
  } else if constexpr (requires { value.begin(); }) {
    std::size_t i = 0;
    for (auto const& item : value) list_value(all, cat(path, ".", i++), item);
  } else {
    list_fields(all, path, value);
  }
}

}  // namespace detail

/// A strategy's name and all settings that its `visit` names; those of a composition's parts stand under their numbers.
template <class Settings>
void list_settings(std::vector<Setting>& all, Settings const& settings, std::string const& path = "") {
  std::string const inner = path.empty() ? "" : path + ".";
  all.push_back({inner + "strategy", std::string(Settings::name)});
  if constexpr (requires { settings.parts; }) {
    std::size_t i = 0;
    std::apply([&](auto const&... part) { (list_settings(all, part, cat(inner, i++)), ...); }, settings.parts);
  } else if constexpr (VisitedSettings<Settings>) {
    detail::list_fields(all, path, settings);
  }
}
template <class Settings>
[[nodiscard]] std::vector<Setting> settings_list(Settings const& settings) {
  std::vector<Setting> all;
  list_settings(all, settings);
  return all;
}

}  // namespace graft
