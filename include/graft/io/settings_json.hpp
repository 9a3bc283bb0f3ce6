/// @file
/// @brief Settings aggregates (those with `static visit(self, visitor)`) as JSON, in both directions.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/adaptation/visit_settings.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/enum_names.hpp>
#include <graft/io/json.hpp>

namespace graft {

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
[[nodiscard]] nlohmann::json field_json(T const& value) {
  if constexpr (VisitedSettings<T>) {
    nlohmann::json object = nlohmann::json::object();
    each_setting(value, [&](char const* name, auto const& field) { object[name] = field_json(field); });
    return object;
  } else if constexpr (IsOptional<T>::value) {
    return value ? field_json(*value) : nlohmann::json();
  } else if constexpr (IsVector<T>::value) {
    nlohmann::json array = nlohmann::json::array();
    for (auto const& item : value) array.push_back(field_json<typename T::value_type>(item));
    return array;
  } else if constexpr (NamedEnum<T>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<std::int64_t>(value);
  } else {
    return value;
  }
}

/// Where a value stands, for messages: `settings.reparametrization.hidden`.
struct JsonPlace {
  std::string file, key;
  [[nodiscard]] JsonPlace inner(std::string const& name) const { return {file, key.empty() ? name : key + "." + name}; }
};

template <class T>
[[nodiscard]] T read_field(JsonPlace const& at, nlohmann::json const& json, T fallback);

template <class T>
[[nodiscard]] T read_object(JsonPlace const& at, nlohmann::json const& json, T settings) {
  if (!json.is_object())
    fail<FileError>("[", at.file, "] has a wrong value at the key ", printable(at.key), "; got ", json_excerpt(json),
                    "; expected an object");
  std::set<std::string> names;
  each_setting(settings, [&](char const* name, auto& field) {
    auto const found = json.find(name);
    if (found != json.end()) field = read_field(at.inner(name), *found, field);
    names.insert(name);
  });
  for (auto const& [name, value] : json.items())
    if (!names.contains(name))
      warn("[", at.file, "] has the key ", printable(at.inner(name).key), ", which is unknown here; got ",
           json_excerpt(value), "; it is passed over");
  return settings;
}

template <class T>
[[nodiscard]] T read_field(JsonPlace const& at, nlohmann::json const& json, T fallback) {
  auto const refuse = [&](auto const&... expected) {
    fail<FileError>("[", at.file, "] has a wrong value at the key ", printable(at.key), "; got ", json_excerpt(json),
                    "; expected ", expected...);
  };
  if constexpr (!IsOptional<T>::value)
    if (json.is_null()) {
      warn("[", at.file, "] has null at the key ", printable(at.key),
           "; the default is taken: ", field_json(fallback).dump());
      return fallback;
    }
  if constexpr (IsOptional<T>::value) {
    using Value = typename T::value_type;
    if (json.is_null()) return std::nullopt;
    return read_field<Value>(at, json, fallback.value_or(Value{}));
  } else if constexpr (VisitedSettings<T>) {
    return read_object(at, json, std::move(fallback));
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) refuse("an array");
    T values;
    for (auto const& item : json) values.push_back(read_field(at, item, typename T::value_type{}));
    return values;
  } else if constexpr (NamedEnum<T>) {
    if (json.is_string())
      if (auto const value = enum_value<T>(json.template get_ref<std::string const&>())) return *value;
    refuse("one of ", enum_choices<T>());
    return fallback;
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(read_field(at, json, static_cast<std::underlying_type_t<T>>(fallback)));
  } else {
    if (!json_fits<T>(json))
      refuse(json_kind<T>(), std::is_integral_v<T> && !std::is_same_v<T, bool> ? " in range" : "");
    return json.get<T>();
  }
}

}  // namespace detail

/// All settings of a strategy as a JSON object: numbers, booleans, strings, arrays, enumerators by name, an absent
/// optional as null.
template <class Settings>
[[nodiscard]] nlohmann::json settings_json(Settings const& settings) {
  return detail::field_json(settings);
}

/// Settings from a JSON object: missing keys keep the value that they have in `defaults`; null and unknown keys too,
/// with a warning.
/// @throws FileError that names `where` (the file) and the key for a value of the wrong kind or out of range
template <class Settings>
[[nodiscard]] Settings settings_from_json(std::string const& where, nlohmann::json const& json, Settings defaults = {},
                                          std::string const& key = "settings") {
  return detail::read_object(detail::JsonPlace{where, key}, json, std::move(defaults));
}

}  // namespace graft
