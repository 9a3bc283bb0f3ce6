/// @file
/// @brief Options of one group of a program's help.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <graft/core/numbers.hpp>
#include <graft/text/printable.hpp>

namespace support {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
struct Single {
  using Type = T;
};
template <class T>
struct Single<std::optional<T>> : Single<T> {};
template <class T>
struct Single<std::vector<T>> : Single<T> {};

/// Whether a text is a number that can be meant: counts are at most 2147483647, so that their products do not overflow; nothing is
/// infinite or NaN.
template <class Number>
[[nodiscard]] std::string sensible(std::string const& text) {
  std::string const got = "got " + graft::printable(text) + "; expected ";
  if constexpr (std::is_floating_point_v<Number>) {
    char* end = nullptr;
    double const value = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' || !graft::fits_float(value) ? got + "a finite number" : "";
  } else if constexpr (std::is_unsigned_v<Number>) {  // seeds; the parser of the command line would wrap a value around
    Number value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool const whole = error == std::errc() && end == text.data() + text.size();
    return whole ? "" : got + "a whole number from 0 to " + std::to_string(std::numeric_limits<Number>::max());
  } else {
    std::int64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool const whole = error == std::errc() && end == text.data() + text.size() && value <= graft::most_of_anything;
    return whole ? "" : got + "a whole number, " + graft::at_most_of_anything;
  }
}

/// Adds options one by one. The help shows a value's default; an optional value has none of its own, so its help has to say what
/// holds without it.
class OptionGroup {
 public:
  OptionGroup(CLI::App& app, std::string title) : app_(app), title_(std::move(title)) {}

  template <class T>
  CLI::Option* operator()(char const* name, T& value, std::string const& help) const {
    auto* const option = app_.add_option(name, value, help)->group(title_);
    if constexpr (!is_optional<T>) option->capture_default_str();
    using Number = typename Single<T>::Type;
    if constexpr (std::is_floating_point_v<Number> || (std::is_integral_v<Number> && !std::is_same_v<Number, bool>))
      option->check(CLI::Validator([](std::string& text) { return sensible<Number>(text); }, ""));
    if constexpr (std::is_same_v<Number, std::string>)
      if (std::string_view const which = name;
          which != "--separator" && which != "--prompt" && which != "--init-text")  // where nothing is something
        option->check(CLI::Validator(
            [](std::string& text) { return text.empty() ? "got an empty value; expected one, or the option left out" : std::string(); },
            ""));
    return option;
  }
  template <class T>
  CLI::Option* operator()(char const* name, T& value, std::string const& help, CLI::Validator const& check) const {
    return (*this)(name, value, help)->check(check);
  }
  CLI::Option* flag(char const* name, bool& value, std::string const& help) const {
    return app_.add_flag(name, value, help)->group(title_);
  }

 private:
  CLI::App& app_;
  std::string title_;
};

}  // namespace support
