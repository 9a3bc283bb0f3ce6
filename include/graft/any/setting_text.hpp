/// @file
/// @brief Values of settings as text, in both directions, and what is said of them.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <graft/adaptation/visit_settings.hpp>
#include <graft/core/numbers.hpp>
#include <graft/io/enum_names.hpp>
#include <graft/text/printable.hpp>

namespace graft::any {

/// Which setting a text is for, as messages name it.
struct SettingPlace {
  std::string strategy, name;

  template <class... Expected>
  [[noreturn]] void refuse(std::string_view got, Expected const&... expected) const {
    fail<ConfigError>("[", strategy, "] got ", name, " ", printable(got), "; expected ", expected...);
  }
};

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

/// The parts of a text between separators; one empty part of an empty text.
[[nodiscard]] inline std::vector<std::string_view> parted(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0;;) {
    std::size_t const end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

template <class Number>
[[nodiscard]] std::optional<Number> whole_text(std::string_view text) {
  Number value{};
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

}  // namespace detail

/// What the values of a type are.
template <class T>
[[nodiscard]] std::string setting_type() {
  if constexpr (detail::is_optional<T>) {
    if constexpr (VisitedSettings<typename T::value_type>)
      return "none or on";
    else
      return setting_type<typename T::value_type>() + ", or none";
  } else if constexpr (detail::is_list<T>) {
    using Element = typename T::value_type;
    if constexpr (detail::is_list<Element>)
      return "words parted by +, each of tokens parted by /";
    else if constexpr (std::is_same_v<Element, std::string>)
      return "names parted by +";
    else
      return "values parted by +, each " + setting_type<Element>();
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (NamedEnum<T>) {
    return "one of " + enum_choices<T>();
  } else if constexpr (std::is_floating_point_v<T>) {
    return "a number";
  } else if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
    return "a whole number";
  } else {
    static_assert(
        std::is_same_v<T, std::string>,
        "graft: a setting is a number, a bool, an enumerator, a string, settings with visit, an optional or a "
        "vector of these");
    return "a text";
  }
}

/// The enumerators' names; empty for other types.
template <class T>
[[nodiscard]] std::vector<std::string> setting_choices() {
  std::vector<std::string> names;
  if constexpr (NamedEnum<T>)
    for (auto const& [value, name] : EnumNames<T>::values) names.emplace_back(name);
  return names;
}

/// What stands between the elements of a list.
inline constexpr char outer_separator = '+';
/// What stands between the elements of a list in a list.
inline constexpr char inner_separator = '/';

/// A setting's value as text, which `parse_setting` reads back. "none" is an optional without a value and a list
/// without elements; "on" is an optional with settings of its own.
template <class T>
[[nodiscard]] std::string setting_text(T const& value, [[maybe_unused]] char separator = outer_separator) {
  if constexpr (detail::is_optional<T>) {
    if constexpr (VisitedSettings<typename T::value_type>)
      return value ? "on" : "none";
    else
      return value ? setting_text(*value) : "none";
  } else if constexpr (detail::is_list<T>) {
    std::string text;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) text += separator;
      text += setting_text<typename T::value_type>(value[i], inner_separator);
    }
    return value.empty() ? "none" : text;
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (NamedEnum<T>) {
    return std::string(enum_name(value));
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    char digits[32];
    auto const [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    return error == std::errc() ? std::string(digits, end) : std::string();
  } else {
    return value;
  }
}

/// A setting's value from its text.
/// @throws ConfigError that names the setting, the text and what is expected
template <class T>
[[nodiscard]] T parse_setting(SettingPlace const& at, std::string_view text,
                              [[maybe_unused]] char separator = outer_separator) {
  if constexpr (detail::is_optional<T>) {
    using Value = typename T::value_type;
    if (text == "none") return std::nullopt;
    if constexpr (VisitedSettings<Value>) {
      if (text != "on") at.refuse(text, "none or on; hint: its own settings are ", at.name, ".…");
      return Value{};
    } else {
      return parse_setting<Value>(at, text);
    }
  } else if constexpr (detail::is_list<T>) {
    using Element = typename T::value_type;
    T values;
    if (text == "none") return values;
    for (auto const part : detail::parted(text, separator)) {
      if (part.empty()) at.refuse(text, setting_type<T>(), ", none of them empty");
      values.push_back(parse_setting<Element>(at, part, inner_separator));
    }
    return values;
  } else if constexpr (std::is_same_v<T, bool>) {
    if (text != "true" && text != "false") at.refuse(text, "true or false");
    return text == "true";
  } else if constexpr (NamedEnum<T>) {
    if (auto const value = enum_value<T>(text)) return *value;
    at.refuse(text, "one of ", enum_choices<T>());
  } else if constexpr (std::is_enum_v<T>) {
    return static_cast<T>(parse_setting<std::underlying_type_t<T>>(at, text));
  } else if constexpr (std::is_floating_point_v<T>) {
    double value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !fits_float(value))
      at.refuse(text, "a number from -3.4e38 to 3.4e38, the range of a float");
    return static_cast<T>(value);
  } else if constexpr (std::is_unsigned_v<T>) {
    auto const value = detail::whole_text<std::uint64_t>(text);
    if (!value || *value > std::numeric_limits<T>::max())
      at.refuse(text, "a whole number from 0 to ", std::to_string(std::numeric_limits<T>::max()));
    return static_cast<T>(*value);
  } else if constexpr (std::is_integral_v<T>) {
    auto const value = detail::whole_text<std::int64_t>(text);
    if (!value || *value > most_of_anything || *value < std::numeric_limits<T>::min())
      at.refuse(text, "a whole number, ", at_most_of_anything);
    return static_cast<T>(*value);
  } else {
    static_assert(
        std::is_same_v<T, std::string>,
        "graft: a setting is a number, a bool, an enumerator, a string, settings with visit, an optional or a "
        "vector of these");
    return std::string(text);
  }
}

}  // namespace graft::any
