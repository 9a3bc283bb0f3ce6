/// @file
/// @brief Reads the regular expressions of `NamePattern` into steps.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace graft::detail {

/// What one step of an expression asks for. Distances are relative to the step itself, so that a repeated part can be copied.
struct PatternStep {
  enum class Kind { character, fork, jump, begin, end, border, no_border, done };
  Kind kind;
  std::bitset<256> set = {};
  std::ptrdiff_t first = 0, second = 0;
};
using PatternSteps = std::vector<PatternStep>;

/// Whether a character is one of Python's `\w`, of ASCII.
[[nodiscard]] inline bool is_pattern_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// A parser by recursive descent; each part gives its steps, or nothing for what it does not read.
struct PatternParser {
  using Kind = PatternStep::Kind;
  static constexpr std::size_t most_steps = 10000, most_depth = 50, most_repeats = 1000;

  std::string_view text;
  std::size_t at = 0;

  [[nodiscard]] bool next_is(std::string_view what) const { return text.substr(at).starts_with(what); }
  bool take(std::string_view what) {
    if (!next_is(what)) return false;
    at += what.size();
    return true;
  }
  static void append(PatternSteps& to, PatternSteps const& more) { to.insert(to.end(), more.begin(), more.end()); }
  static std::ptrdiff_t length(PatternSteps const& steps) { return static_cast<std::ptrdiff_t>(steps.size()); }

  [[nodiscard]] std::optional<PatternSteps> alternatives(std::size_t depth) {
    if (depth > most_depth) return std::nullopt;
    auto left = sequence(depth);
    while (left && take("|")) {
      auto right = sequence(depth);
      if (!right || left->size() + right->size() > most_steps) return std::nullopt;
      PatternSteps both{{Kind::fork, {}, 1, length(*left) + 2}};
      append(both, *left);
      both.push_back({Kind::jump, {}, length(*right) + 1});
      append(both, *right);
      left = std::move(both);
    }
    return left;
  }
  [[nodiscard]] std::optional<PatternSteps> sequence(std::size_t depth) {
    PatternSteps steps;
    while (at < text.size() && !next_is("|") && !next_is(")")) {
      auto one = atom(depth);
      if (one) one = repeated(std::move(*one));
      if (!one || steps.size() + one->size() > most_steps) return std::nullopt;
      append(steps, *one);
    }
    return steps;
  }
  [[nodiscard]] std::optional<PatternSteps> atom(std::size_t depth) {
    if (take("(")) {
      if (take("?P<")) {
        std::size_t const close = text.find('>', at);
        if (close == std::string_view::npos || close == at) return std::nullopt;
        at = close + 1;
      } else if (!take("?:") && next_is("?")) {
        return std::nullopt;
      }
      auto inside = alternatives(depth + 1);
      if (!inside || !take(")")) return std::nullopt;
      return inside;
    }
    if (take("^") || take("\\A")) return PatternSteps{{Kind::begin}};
    if (take("$") || take("\\Z")) return PatternSteps{{Kind::end}};
    if (take("\\b")) return PatternSteps{{Kind::border}};
    if (take("\\B")) return PatternSteps{{Kind::no_border}};
    if (take("[")) return characters();
    std::bitset<256> set;
    char const c = text[at];
    if (c == '\\') {
      auto const escaped = escape();
      if (!escaped) return std::nullopt;
      return PatternSteps{{Kind::character, *escaped}};
    }
    if (std::string_view("*+?{").find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
    ++at;
    if (c == '.')
      set.set().reset('\n');
    else
      set.set(static_cast<unsigned char>(c));
    return PatternSteps{{Kind::character, set}};
  }
  /// `\d`, `\.` and the like; nothing for letters and digits that mean something else.
  [[nodiscard]] std::optional<std::bitset<256>> escape() {
    if (at + 1 >= text.size()) return std::nullopt;
    char const c = text[at + 1];
    at += 2;
    std::bitset<256> set;
    for (int i = 0; i < 128; ++i) {
      char const one = static_cast<char>(i);
      bool const in = c == 'd' || c == 'D'   ? one >= '0' && one <= '9'
                      : c == 'w' || c == 'W' ? is_pattern_word(one)
                      : c == 's' || c == 'S' ? one == ' ' || (one >= '\t' && one <= '\r')
                                             : one == c;
      set.set(static_cast<std::size_t>(i), in);
    }
    if (c == 'D' || c == 'W' || c == 'S') return set.flip();
    bool const known = c == 'd' || c == 'w' || c == 's' || (static_cast<unsigned char>(c) < 0x80 && !is_pattern_word(c));
    return known ? std::optional(set) : std::nullopt;
  }
  /// What stands behind `[`.
  [[nodiscard]] std::optional<PatternSteps> characters() {
    bool const opposite = take("^");
    std::bitset<256> set;
    for (bool first = true; first || !next_is("]"); first = false) {
      if (at >= text.size() || next_is("[")) return std::nullopt;  // Python warns of what a second [ may come to mean
      char const c = text[at];
      if (c == '\\') {
        auto const escaped = escape();
        if (!escaped) return std::nullopt;
        set |= *escaped;
        if (next_is("-") && text.substr(at, 2) != "-]") return std::nullopt;
        continue;
      }
      ++at;
      char last = c;
      if (next_is("-") && at + 1 < text.size() && text[at + 1] != ']') last = text[at + 1], at += 2;
      if (last == '\\' || last < c || static_cast<unsigned char>(c) >= 0x80 || static_cast<unsigned char>(last) >= 0x80)
        return std::nullopt;
      for (int i = c; i <= last; ++i) set.set(static_cast<std::size_t>(i));
    }
    ++at;
    return PatternSteps{{Kind::character, opposite ? set.flip() : set}};
  }
  /// A number of at most `most_repeats`, or nothing.
  [[nodiscard]] std::optional<std::size_t> number() {
    std::size_t value = 0;
    std::size_t const start = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9' && value <= most_repeats; ++at)
      value = value * 10 + static_cast<std::size_t>(text[at] - '0');
    return at == start || value > most_repeats ? std::nullopt : std::optional(value);
  }
  /// The part with what stands behind it: `*`, `+`, `?` or `{m,n}`, lazy or not, which is the same where all of a name must match.
  [[nodiscard]] std::optional<PatternSteps> repeated(PatternSteps part) {
    constexpr std::size_t no_end = most_steps;
    std::size_t least = 1, most = 1;
    if (take("*")) {
      least = 0, most = no_end;
    } else if (take("+")) {
      most = no_end;
    } else if (take("?")) {
      least = 0;
    } else if (take("{")) {
      auto const low = number();
      bool const open = take(",");
      auto const high = open ? number() : low;
      if ((!low && !high) || !take("}") || (low && high && *low > *high)) return std::nullopt;
      least = low.value_or(0), most = high.value_or(no_end);
    } else {
      return part;
    }
    take("?");
    if (next_is("*") || next_is("+") || next_is("?") || next_is("{")) return std::nullopt;
    if (part.size() * ((most == no_end ? least : most) + 1) > most_steps) return std::nullopt;
    PatternSteps steps;
    for (std::size_t i = 0; i < least; ++i) append(steps, part);
    if (most == no_end) {
      steps.push_back({Kind::fork, {}, 1, length(part) + 2});
      append(steps, part);
      steps.push_back({Kind::jump, {}, -(length(part) + 1)});
      return steps;
    }
    for (std::size_t i = least; i < most; ++i) {
      steps.push_back({Kind::fork, {}, 1, length(part) + 1});
      append(steps, part);
    }
    return steps;
  }
};

}  // namespace graft::detail
