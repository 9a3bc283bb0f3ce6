/// @file
/// @brief The tokenizations that published BLEU scores are computed with.
#pragma once

#include <algorithm>
#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/core/replace_all.hpp>
#include <graft/text/lowercase.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// How a metric cuts text into tokens. BLEU scores are comparable only under the same one.
enum class Tokenization {
  none,       ///< split at white space
  e2e,        ///< the E2E challenge's scripts (e2e-metrics): mteval-v13a, lower-cased
  sacrebleu,  ///< sacreBLEU's default, `13a`: mteval-v13a, case kept
};

/// The tokenization of that name (`none`, `e2e`, `sacrebleu` or its other name `13a`). @throws ConfigError for another
/// name
[[nodiscard]] inline Tokenization parse_tokenization(std::string_view name) {
  if (name == "none") return Tokenization::none;
  if (name == "e2e") return Tokenization::e2e;
  if (name == "sacrebleu" || name == "13a") return Tokenization::sacrebleu;
  fail<ConfigError>("[tokenization] unknown name; got '", name, "'; expected none, e2e or sacrebleu");
}

namespace detail {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Length in bytes of the white space that `text` starts with at `at` (Unicode's, as Python's `str.split`), or 0.
inline std::size_t white_space_length(std::string_view text, std::size_t at) {
  auto const byte = [&](std::size_t i) { return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U; };
  unsigned const b = byte(0);
  if (b == ' ' || (b >= 0x09 && b <= 0x0d) || (b >= 0x1c && b <= 0x1f)) return 1;
  if (b == 0xc2 && (byte(1) == 0x85 || byte(1) == 0xa0)) return 2;
  if (b == 0xe1 && byte(1) == 0x9a && byte(2) == 0x80) return 3;
  if (b == 0xe2 && byte(1) == 0x80) {
    unsigned const c = byte(2);
    return (c >= 0x80 && c <= 0x8a) || c == 0xa8 || c == 0xa9 || c == 0xaf ? 3 : 0;
  }
  if (b == 0xe2 && byte(1) == 0x81 && byte(2) == 0x9f) return 3;
  return b == 0xe3 && byte(1) == 0x80 && byte(2) == 0x80 ? 3 : 0;
}

inline std::vector<std::string> split_white_space(std::string_view text) {
  std::vector<std::string> tokens;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size();) {
    std::size_t const space = i < text.size() ? white_space_length(text, i) : 1;
    if (space > 0 && i > start) tokens.emplace_back(text.substr(start, i - start));
    i += space > 0 ? space : 1;
    if (space > 0) start = i;
  }
  return tokens;
}

/// Pieces between blanks, tabs and line breaks of ASCII alone, as Java's tools cut.
inline std::vector<std::string> split_ascii_white_space(std::string_view text) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t const start = std::min(text.find_first_not_of(" \t\n\v\f\r", i), text.size());
    i = std::min(text.find_first_of(" \t\n\v\f\r", start), text.size());
    if (i > start) tokens.emplace_back(text.substr(start, i - start));
  }
  return tokens;
}

/// The characters that mteval-v13a always parts from their neighbours: ASCII punctuation other than `' , - .`
inline bool always_parted(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

/// Replaces, left to right and without overlap, each pair of neighbours that `matches` by the text that `write`
/// appends.
template <class Matches, class Write>
std::string rewrite_pairs(std::string_view text, Matches matches, Write write) {
  std::string result;
  result.reserve(text.size() + text.size() / 4);
  for (std::size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      write(result, text[i], text[i + 1]);
      i += 2;
    } else {
      result += text[i++];
    }
  }
  return result;
}

/// Parts `.` and `,` from their neighbours except between digits, and a dash from a digit before it (mteval's rules).
inline std::string part_stops_and_dashes(std::string parted) {
  auto const stop = [](char c) { return c == '.' || c == ','; };
  parted = rewrite_pairs(
      parted, [&](char a, char b) { return !is_digit(a) && stop(b); },
      [](std::string& out, char a, char b) { ((((out += a) += ' ') += b) += ' '); });
  parted = rewrite_pairs(
      parted, [&](char a, char b) { return stop(a) && !is_digit(b); },
      [](std::string& out, char a, char b) { ((((out += ' ') += a) += ' ') += b); });
  return rewrite_pairs(
      parted, [](char a, char b) { return is_digit(a) && b == '-'; },
      [](std::string& out, char a, char b) { ((((out += a) += ' ') += b) += ' '); });
}

/// mteval-v13a's normalization with tokens parted by spaces. Its four rules are regular expressions over ASCII, so
/// bytes suffice.
inline std::string mteval_13a(std::string_view text) {
  auto const last = text.find_last_not_of(" \t\r\n");
  std::string line(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
  replace_all(line, "<skipped>", "");
  replace_all(line, "-\n", "");
  replace_all(line, "\n", " ");
  if (line.find('&') != std::string::npos) {
    replace_all(line, "&quot;", "\"");
    replace_all(line, "&amp;", "&");
    replace_all(line, "&lt;", "<");
    replace_all(line, "&gt;", ">");
  }
  std::string parted = " ";
  for (char const c : line + " ") {
    if (always_parted(c))
      (((parted += ' ') += c) += ' ');
    else
      parted += c;
  }
  return part_stops_and_dashes(std::move(parted));
}

}  // namespace detail

/// Tokens of one text. @param fold_case lower-case it too (`e2e` always does).
///
/// `e2e` is what e2e-metrics' scripts (mteval-v13a-sig.pl, pymteval) do, `sacrebleu` is sacreBLEU's `13a`; both part
/// punctuation from words, but leave `.` and `,` between digits, hyphens between letters, and apostrophes.
[[nodiscard]] inline std::vector<std::string> tokenize(std::string_view text, Tokenization tokenization,
                                                       bool fold_case = false) {
  switch (tokenization) {
    case Tokenization::e2e: return detail::split_white_space(lowercase(detail::mteval_13a(text)));
    case Tokenization::sacrebleu:
      return detail::split_white_space(detail::mteval_13a(fold_case ? lowercase(text) : std::string(text)));
    case Tokenization::none: break;
  }
  return detail::split_white_space(fold_case ? lowercase(text) : std::string(text));
}

}  // namespace graft
