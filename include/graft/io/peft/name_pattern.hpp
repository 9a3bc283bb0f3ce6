/// @file
/// @brief Regular expressions over module names, as PEFT's adapter_config.json has them: the part of Python's `re` that all engines read alike.
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/io/peft/pattern_parser.hpp>

namespace graft::detail {

/// Literals, `.`, classes, `\d \w \s \b` and their opposites, groups, `|`, `* + ? {m,n}`, `^`, `$`. Matching follows all alternatives at
/// once (Thompson 1968), so that no expression in a file can make it slow.
class NamePattern {
 public:
  /// Nothing for an expression with anything else (look-around, back references, flags), for a malformed one and for one of more than
  /// 10,000 steps.
  [[nodiscard]] static std::optional<NamePattern> parse(std::string_view text) {
    PatternParser parser{text};
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
  using Kind = PatternStep::Kind;

  explicit NamePattern(PatternSteps steps) : steps_(std::move(steps)) {}

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
      PatternStep const& step = steps_[i];
      bool const border = (place > 0 && is_pattern_word(name[place - 1])) != (place < name.size() && is_pattern_word(name[place]));
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

  PatternSteps steps_;
};

}  // namespace graft::detail
