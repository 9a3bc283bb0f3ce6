/// @file
/// @brief Options of one group of a program's help.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
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
#include <graft/text/utf8.hpp>

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

/// Whether a text is a number that can be meant: counts are at most 2147483647, so that their products do not overflow
/// (seeds and numbers of rows and columns are not multiplied: any whole number that fits); real numbers are those that
/// a float can hold.
template <class Number>
[[nodiscard]] std::string sensible(std::string const& text) {
  std::string const got = "got " + graft::printable(text) + "; expected ";
  if constexpr (std::is_floating_point_v<Number>) {
    char* end = nullptr;
    double const value = std::strtod(text.c_str(), &end);
    return text.empty() || *end != '\0' || !graft::fits_float(value)
               ? got + "a number from -3.4e38 to 3.4e38, the range of a float"
               : "";
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

/// A number of which `fits` holds. What is no number is left to others.
template <class Fits>
[[nodiscard]] CLI::Validator number_that(Fits fits, std::string const& expected, std::string const& shown) {
  return CLI::Validator(
      [fits, expected](std::string& text) {
        char* end = nullptr;
        double const value = std::strtod(text.c_str(), &end);
        return *end != '\0' || fits(value) ? std::string() : "got " + graft::printable(text) + "; expected " + expected;
      },
      shown);
}
[[nodiscard]] inline CLI::Validator positive_number() {
  return number_that([](double value) { return value >= std::numeric_limits<double>::min(); }, "more than 0",
                     "POSITIVE");
}
[[nodiscard]] inline CLI::Validator number_from_zero() {
  return number_that([](double value) { return value >= 0; }, "0 or more", "NONNEGATIVE");
}
[[nodiscard]] inline CLI::Validator share_of_one() {
  return number_that([](double value) { return value >= 0 && value <= 1; }, "0 to 1", "in [0 - 1]");
}

/// Nobody is left to believe that the variable of a shell was set.
[[nodiscard]] inline CLI::Validator not_empty() {
  return CLI::Validator(
      [](std::string& text) {
        return text.empty() ? "got an empty value; expected one, or the option left out" : std::string();
      },
      "");
}
/// Texts that a model reads are UTF-8, as files of them are.
[[nodiscard]] inline CLI::Validator utf8_text() {
  return CLI::Validator(
      [](std::string& text) {
        return graft::replace_invalid_utf8(text) == text ? std::string()
                                                         : "got " + graft::printable(text) + "; expected UTF-8";
      },
      "");
}

/// Adds options one by one. The help shows a value's default; an optional value has none of its own, so its help has to
/// say what holds without it.
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
    if constexpr (std::is_same_v<Number, std::string> || std::is_same_v<Number, std::filesystem::path>) {
      std::string_view const which = name;
      bool const text =
          which == "--separator" || which == "--prompt" || which == "--init-text";  // where nothing is something
      option->check(text ? utf8_text() : not_empty());
    }
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
