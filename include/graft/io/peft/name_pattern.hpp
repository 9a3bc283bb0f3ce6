/// @file
/// @brief Regular expressions over module names, as PEFT's adapter_config.json has them: the part of Python's `re` that all engines read alike.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

/// Literals, `.`, classes, `\d \w \s \b` and their opposites, groups, `|`, `* + ? {m,n}`, `^`, `$`. Matching follows all alternatives at
/// once (Thompson 1968), so that no expression in a file can make it slow.
class NamePattern {
 public:
  /// Nothing for an expression with anything else (look-around, back references, flags), for a malformed one and for one of more than
  /// 10,000 steps.
  [[nodiscard]] static std::optional<NamePattern> parse(std::string_view text) {
    Parser parser{text};
    auto steps = parser.alternatives(0);
    if (!steps || parser.at != text.size()) return std::nullopt;
    steps->push_back({Kind::done});
    return NamePattern(std::move(*steps));
  }

  /// Whether all of `name` matches (`re.fullmatch`).
  [[nodiscard]] bool matches(std::string_view name) const {
    std::vector<std::size_t> now, next;
    std::vector<bool> seen(steps_.size());
    follow(0, name, 0, now, seen);
    for (std::size_t i = 0; i < name.size(); ++i) {
      next.clear();
      seen.assign(steps_.size(), false);
      for (std::size_t const at : now)
        if (steps_[at].kind == Kind::character && steps_[at].set[static_cast<unsigned char>(name[i])])
          follow(at + 1, name, i + 1, next, seen);
      now.swap(next);
    }
    return std::any_of(now.begin(), now.end(), [&](std::size_t at) { return steps_[at].kind == Kind::done; });
  }

 private:
  enum class Kind { character, fork, jump, begin, end, border, no_border, done };
  /// Distances are relative to the step itself, so that a repeated part can be copied.
  struct Step {
    Kind kind;
    std::bitset<256> set = {};
    std::ptrdiff_t first = 0, second = 0;
  };
  using Steps = std::vector<Step>;
  static constexpr std::size_t most_steps = 10000, most_depth = 50, most_repeats = 1000;

  explicit NamePattern(Steps steps) : steps_(std::move(steps)) {}

  [[nodiscard]] static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }

  /// Adds the steps that are reached from `at` without reading a character.
  void follow(std::size_t at, std::string_view name, std::size_t place, std::vector<std::size_t>& reached, std::vector<bool>& seen) const {
    std::vector<std::size_t> open{at};
    auto const go = [](std::size_t from, std::ptrdiff_t distance) {
      return static_cast<std::size_t>(static_cast<std::ptrdiff_t>(from) + distance);
    };
    while (!open.empty()) {
      std::size_t const i = open.back();
      open.pop_back();
      if (seen[i]) continue;
      seen[i] = true;
      Step const& step = steps_[i];
      bool const border = (place > 0 && is_word(name[place - 1])) != (place < name.size() && is_word(name[place]));
      switch (step.kind) {
        case Kind::fork:
          open.push_back(go(i, step.second)), open.push_back(go(i, step.first));
          break;
        case Kind::jump:
          open.push_back(go(i, step.first));
          break;
        case Kind::begin:
          if (place == 0) open.push_back(i + 1);
          break;
        case Kind::end:
          if (place == name.size()) open.push_back(i + 1);
          break;
        case Kind::border:
          if (border) open.push_back(i + 1);
          break;
        case Kind::no_border:
          if (!border) open.push_back(i + 1);
          break;
        case Kind::character:
        case Kind::done:
          reached.push_back(i);
          break;
      }
    }
  }

  struct Parser {
    std::string_view text;
    std::size_t at = 0;

    [[nodiscard]] bool next_is(std::string_view what) const { return text.substr(at).starts_with(what); }
    bool take(std::string_view what) {
      if (!next_is(what)) return false;
      at += what.size();
      return true;
    }
    static void append(Steps& to, Steps const& more) { to.insert(to.end(), more.begin(), more.end()); }
    static std::ptrdiff_t length(Steps const& steps) { return static_cast<std::ptrdiff_t>(steps.size()); }

    [[nodiscard]] std::optional<Steps> alternatives(std::size_t depth) {
      if (depth > most_depth) return std::nullopt;
      auto left = sequence(depth);
      while (left && take("|")) {
        auto right = sequence(depth);
        if (!right) return std::nullopt;
        Steps both{{Kind::fork, {}, 1, length(*left) + 2}};
        append(both, *left);
        both.push_back({Kind::jump, {}, length(*right) + 1});
        append(both, *right);
        left = std::move(both);
      }
      return left;
    }
    [[nodiscard]] std::optional<Steps> sequence(std::size_t depth) {
      Steps steps;
      while (at < text.size() && !next_is("|") && !next_is(")")) {
        auto one = atom(depth);
        if (one) one = repeated(std::move(*one));
        if (!one || steps.size() + one->size() > most_steps) return std::nullopt;
        append(steps, *one);
      }
      return steps;
    }
    [[nodiscard]] std::optional<Steps> atom(std::size_t depth) {
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
      if (take("^") || take("\\A")) return Steps{{Kind::begin}};
      if (take("$") || take("\\Z")) return Steps{{Kind::end}};
      if (take("\\b")) return Steps{{Kind::border}};
      if (take("\\B")) return Steps{{Kind::no_border}};
      if (take("[")) return characters();
      std::bitset<256> set;
      char const c = text[at];
      if (c == '\\') {
        auto const escaped = escape();
        if (!escaped) return std::nullopt;
        return Steps{{Kind::character, *escaped}};
      }
      if (std::string_view("*+?{").find(c) != std::string_view::npos || static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
      ++at;
      if (c == '.')
        set.set().reset('\n');
      else
        set.set(static_cast<unsigned char>(c));
      return Steps{{Kind::character, set}};
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
                        : c == 'w' || c == 'W' ? is_word(one)
                        : c == 's' || c == 'S' ? one == ' ' || (one >= '\t' && one <= '\r')
                                               : one == c;
        set.set(static_cast<std::size_t>(i), in);
      }
      if (c == 'D' || c == 'W' || c == 'S') return set.flip();
      bool const known = c == 'd' || c == 'w' || c == 's' || (static_cast<unsigned char>(c) < 0x80 && !is_word(c));
      return known ? std::optional(set) : std::nullopt;
    }
    /// What stands behind `[`.
    [[nodiscard]] std::optional<Steps> characters() {
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
      return Steps{{Kind::character, opposite ? set.flip() : set}};
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
    [[nodiscard]] std::optional<Steps> repeated(Steps part) {
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
      Steps steps;
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

  Steps steps_;
};

}  // namespace graft::detail
