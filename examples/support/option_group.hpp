/// @file
/// @brief Options of one group of a program's help.
#pragma once

#include <optional>
#include <string>
#include <type_traits>

#include <CLI/CLI.hpp>

namespace support {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/// Adds options one by one. The help shows a value's default; an optional value has none of its own, so its help has to say what holds without it.
class OptionGroup {
 public:
  OptionGroup(CLI::App& app, std::string title) : app_(app), title_(std::move(title)) {}

  template <class T>
  CLI::Option* operator()(char const* name, T& value, std::string const& help) const {
    auto* const option = app_.add_option(name, value, help)->group(title_);
    if constexpr (!is_optional<T>) option->capture_default_str();
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
