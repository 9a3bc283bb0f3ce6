/// @file
/// @brief Regular expressions of Python's `re` as `std::regex` reads them: what `NamePattern` does, once in
/// graft::compiled.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <string_view>

namespace graft::detail {

/// Spells a regular expression of Python as `std::regex` reads it.
class PatternSpelling {
 public:
  explicit PatternSpelling(std::string_view python) : rest_(python) {}

  /// Nothing for an expression that the two would read differently: flags, look-behind, back references, possessive and
  /// stacked repeats, classes within classes, letters after `\` with other meanings, characters beyond ASCII.
  [[nodiscard]] std::optional<std::string> ecma_script() {
    while (!rest_.empty())
      if (!(next_is("[")    ? character_class()
            : next_is("\\") ? escape(false)
            : next_is("(?") ? group()
                            : repeat() || plain()))
        return std::nullopt;
    return result_;
  }

 private:
  [[nodiscard]] bool next_is(std::string_view what) const { return rest_.starts_with(what); }
  [[nodiscard]] bool next_is_one_of(std::string_view characters) const {
    return !rest_.empty() && characters.find(rest_[0]) != characters.npos;
  }
  /// Takes so many characters as they are, or spelled otherwise.
  bool take(std::size_t count) { return take(count, rest_.substr(0, count)); }
  bool take(std::size_t count, std::string_view spelled) {
    result_ += spelled;
    rest_.remove_prefix(count);
    return true;
  }

  bool plain() {
    if (rest_[0] <= '\n' || static_cast<unsigned char>(rest_[0]) >= 0x80 || next_is_one_of("*+?{")) return false;
    repeatable_ = !next_is_one_of("(|");
    return take(1);
  }
  bool escape(bool in_class) {
    rest_.remove_prefix(1);
    repeatable_ = true;
    if (!in_class && next_is("A")) return take(1, "^");
    if (!in_class && next_is("Z")) return take(1, "$");
    if (next_is_one_of("_ -")) return take(1, in_class && next_is("-") ? "\\-" : rest_.substr(0, 1));
    if (!next_is_one_of("dDwWsS.*+?()[]{}|^$/\\") && (in_class || !next_is_one_of("bB"))) return false;
    result_ += '\\';
    return take(1);
  }
  bool group() {
    repeatable_ = false;
    if (next_is("(?:") || next_is("(?=") || next_is("(?!")) return take(3);
    std::size_t const end = rest_.find('>');
    return next_is("(?P<") && end != rest_.npos && take(end + 1, "(?:");  // its name is for back references
  }
  /// Behind what can be repeated: once, and then perhaps `?`, which changes nothing where all of a name must match.
  bool repeat() {
    if (!repeatable_ || !next_is_one_of("*+?{")) return false;
    std::size_t const end = next_is("{") ? rest_.find('}') : 0;
    if (end == rest_.npos || (next_is("{") && rest_.find_first_not_of("0123456789,", 1) != end)) return false;
    if (next_is("{,")) take(1, "{0");
    take(rest_.find_first_of("*+?}") + 1);
    if (next_is("?")) rest_.remove_prefix(1);
    repeatable_ = false;
    return true;
  }
  bool character_class() {
    take(next_is("[^") ? 2 : 1);
    if (next_is("]")) take(1, "\\]");  // a first ] is a member
    while (!next_is("]")) {
      if (rest_.empty() || next_is("[")) return false;
      if (!(next_is("\\") ? escape(true) : rest_[0] > '\n' && static_cast<unsigned char>(rest_[0]) < 0x80 && take(1)))
        return false;
    }
    repeatable_ = true;
    return take(1);
  }

  std::string_view rest_;
  std::string result_;
  bool repeatable_ = false;
};

/// `NamePattern::parse`: what tells whether all of a name matches; empty for an expression that is not followed.
template <class>
[[nodiscard]] std::function<bool(std::string_view)> compile_name_pattern(std::string_view text) {
  auto const options = std::regex::ECMAScript | std::regex::nosubs
#ifdef __GLIBCXX__
                       | std::regex_constants::__polynomial  // no expression in a file can make it slow
#endif
      ;
  auto const spelled = text.size() > 1000 ? std::nullopt : PatternSpelling(text).ecma_script();
  if (!spelled) return {};
  try {
    return [regex = std::regex(*spelled, options)](std::string_view name) {
      return std::regex_match(name.begin(), name.end(), regex);
    };
  } catch (std::regex_error const&) {
    return {};
  }
}

}  // namespace graft::detail
