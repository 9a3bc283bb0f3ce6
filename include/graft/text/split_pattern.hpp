/// @file
/// @brief The regular expressions of byte-level BPE tokenizers, as hand-written scanners.
///
/// A regular expression from a file could take exponential time, so the published ones are recognised by their text and
/// every other is refused. Each scanner returns where the match that begins at `at` ends; the patterns leave no
/// character out.
#pragma once

#include <graft/text/unicode_class.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace graft {

/// A known splitting pattern.
enum class SplitPattern : std::uint8_t {
  gpt2,    ///< Radford et al. 2019; also RoBERTa, BART, SmolLM2
  llama3,  ///< Llama 3 and OpenAI's cl100k: numbers in threes
  qwen2    ///< Qwen 2: as Llama 3, every digit by itself
};

/// The pattern that a regular expression spells, if it is a known one.
[[nodiscard]] inline std::optional<SplitPattern> find_split_pattern(std::string_view regex) noexcept {
  using Named = std::pair<std::string_view, SplitPattern>;
  static constexpr std::array<Named, 4> known{
      Named{R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", SplitPattern::gpt2},
      Named{R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", SplitPattern::gpt2},
      Named{
          R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          SplitPattern::llama3},
      Named{
          R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
          SplitPattern::qwen2}};
  for (auto const& [text, pattern] : known)
    if (text == regex) return pattern;
  return std::nullopt;
}

namespace detail {

/// The end of the run of `kind` that begins at `at`, of at most `most` characters.
[[nodiscard]] inline std::size_t run_end(std::string_view text, std::size_t at, CharClass kind,
                                         std::size_t most = SIZE_MAX) noexcept {
  for (; at < text.size() && most > 0; --most) {
    ClassifiedChar const c = classified_at(text, at);
    if (c.kind != kind) break;
    at += c.bytes;
  }
  return at;
}

/// `\s+(?!\S)|\s+` in a run of white space: all of it, but for a last character that a word follows.
[[nodiscard]] inline std::size_t space_end(std::string_view text, std::size_t at) noexcept {
  std::size_t last = at, end = at;
  while (end < text.size()) {
    ClassifiedChar const c = classified_at(text, end);
    if (c.kind != CharClass::space) return last > at ? last : end;
    last = end;
    end += c.bytes;
  }
  return end;
}

/// `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe: the end of the match, or `at`. Where case is ignored, U+017F (long s)
/// counts as s.
[[nodiscard]] inline std::size_t contraction_end(std::string_view text, std::size_t at, bool ignore_case) noexcept {
  auto const letter = [&](std::size_t i) {
    char const c = i < text.size() ? text[i] : '\0';
    return ignore_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  char const first = letter(at + 1), second = letter(at + 2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
    return at + 3;
  return ignore_case && text.substr(at + 1, 2) == "\u017F" ? at + 3 : at;
}

[[nodiscard]] inline std::size_t gpt2_match_end(std::string_view text, std::size_t at) noexcept {
  ClassifiedChar const c = classified_at(text, at);
  if (c.code == '\'') {
    std::size_t const end = contraction_end(text, at, false);
    if (end != at) return end;
  }
  if (c.kind != CharClass::space) return run_end(text, at + c.bytes, c.kind);
  if (c.code == ' ' && at + 1 < text.size()) {
    ClassifiedChar const next = classified_at(text, at + 1);
    if (next.kind != CharClass::space) return run_end(text, at + 1 + next.bytes, next.kind);
  }
  return space_end(text, at);
}

[[nodiscard]] constexpr bool is_line_break(char32_t code) noexcept { return code == '\r' || code == '\n'; }

/// `\s*[\r\n]+`: the end of the last line break in a run of white space, or `at` if there is none.
[[nodiscard]] inline std::size_t line_break_end(std::string_view text, std::size_t at) noexcept {
  std::size_t end = at;
  while (at < text.size()) {
    ClassifiedChar const c = classified_at(text, at);
    if (c.kind != CharClass::space) break;
    at += c.bytes;
    if (is_line_break(c.code)) end = at;
  }
  return end;
}

[[nodiscard]] inline std::size_t llama3_match_end(std::string_view text, std::size_t at,
                                                  std::size_t most_digits) noexcept {
  ClassifiedChar const c = classified_at(text, at);
  if (c.code == '\'') {
    std::size_t const end = contraction_end(text, at, true);
    if (end != at) return end;
  }
  if (c.kind == CharClass::letter) return run_end(text, at + c.bytes, CharClass::letter);
  if (c.kind == CharClass::number) return run_end(text, at, CharClass::number, most_digits);
  std::size_t const after = at + c.bytes;
  bool const more = after < text.size();
  ClassifiedChar const next = more ? classified_at(text, after) : ClassifiedChar{0, 0, CharClass::space};
  if (next.kind == CharClass::letter && !is_line_break(c.code))
    return run_end(text, after + next.bytes, CharClass::letter);
  if (c.kind == CharClass::other || (c.code == ' ' && next.kind == CharClass::other)) {
    std::size_t end = run_end(text, after, CharClass::other);
    while (end < text.size() && is_line_break(static_cast<unsigned char>(text[end]))) ++end;
    return end;
  }
  std::size_t const break_end = line_break_end(text, at);
  return break_end != at ? break_end : space_end(text, at);
}

}  // namespace detail

/// Where the pattern's match that begins at byte `at` of a well-formed text ends; always after `at`.
[[nodiscard]] inline std::size_t match_end(SplitPattern pattern, std::string_view text, std::size_t at) noexcept {
  switch (pattern) {
    case SplitPattern::llama3: return detail::llama3_match_end(text, at, 3);
    case SplitPattern::qwen2: return detail::llama3_match_end(text, at, 1);
    case SplitPattern::gpt2: break;
  }
  return detail::gpt2_match_end(text, at);
}

}  // namespace graft
