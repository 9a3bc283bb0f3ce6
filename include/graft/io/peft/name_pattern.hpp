/// @file
/// @brief Regular expressions over module names, as PEFT's adapter_config.json has them: what Python's `re` and
/// `std::regex` read alike.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace graft::detail {

/// What `NamePattern` is made of; its body is in pattern_spelling.hpp.
template <class>
[[nodiscard]] std::function<bool(std::string_view)> compile_name_pattern(std::string_view text);
#ifdef GRAFT_COMPILED_IO
extern template std::function<bool(std::string_view)> compile_name_pattern<void>(std::string_view);
#endif

/// A regular expression of Python, matched by the standard library's. Names are of ASCII and have no line ends.
class NamePattern {
 public:
  /// Nothing for an expression that is malformed, that `PatternSpelling` leaves aside, or of more than 1,000
  /// characters.
  [[nodiscard]] static std::optional<NamePattern> parse(std::string_view text) {
    auto matches = compile_name_pattern<void>(text);
    return matches ? std::optional(NamePattern(std::move(matches))) : std::nullopt;
  }

  /// Whether all of `name` matches (`re.fullmatch`).
  [[nodiscard]] bool matches(std::string_view name) const { return matches_(name); }

 private:
  explicit NamePattern(std::function<bool(std::string_view)> matches) : matches_(std::move(matches)) {}

  std::function<bool(std::string_view)> matches_;
};

}  // namespace graft::detail

#ifndef GRAFT_COMPILED_IO
#include <graft/io/peft/pattern_spelling.hpp>
#endif
