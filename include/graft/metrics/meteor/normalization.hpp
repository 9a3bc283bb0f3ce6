/// @file
/// @brief METEOR's words of a text: its normalization (`-norm`) and lower case.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/meteor/word_list.hpp>
#include <graft/metrics/tokenization.hpp>
#include <graft/text/lowercase.hpp>
#include <graft/text/utf8.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace graft::detail {

/// Stands for a stop of a run of stops until words are cut, so that such a run stays one word.
inline constexpr char32_t stop_of_run = 0x10FFFF;

inline bool is_ascii_digit(char32_t c) { return c >= U'0' && c <= U'9'; }

/// The letters that METEOR's tokenizer knows: Latin and Cyrillic.
inline bool is_meteor_letter(char32_t c) {
  static constexpr std::array<std::pair<char32_t, char32_t>, 12> ranges = {{{U'A', U'Z'},
                                                                            {U'a', U'z'},
                                                                            {0x160, 0x161},
                                                                            {0x178, 0x178},
                                                                            {0x17D, 0x17E},
                                                                            {0xC0, 0xD6},
                                                                            {0xD8, 0xF6},
                                                                            {0xF8, 0x17E},
                                                                            {0x400, 0x527},
                                                                            {0xA640, 0xA66E},
                                                                            {0xA67E, 0xA697},
                                                                            {0x1D00, 0x1D7F}}};
  for (auto const& [first, last] : ranges)
    if (c >= first && c <= last) return true;
  return false;
}

/// Replaces every three neighbours that `matches`, left to right and without overlap, by `before`, `middle` and
/// `after`.
template <class Matches>
std::u32string rewrite_between(std::u32string const& text, Matches matches, std::u32string_view middle) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    if (i + 2 < text.size() && matches(text[i], text[i + 1], text[i + 2])) {
      ((result += text[i]) += middle) += text[i + 2];
      i += 3;
    } else {
      result += text[i++];
    }
  }
  return result;
}

/// Parts symbols from words; runs of stops become words of their own.
inline std::u32string part_meteor_symbols(std::string_view text) {
  std::u32string parted = U" ";
  auto const append = [&](char32_t c) {
    bool const plain = is_meteor_letter(c) || is_ascii_digit(c) || c == U' ' || (c >= 0x09 && c <= 0x0D) ||
                       std::u32string_view(U".'`,-\u2018\u2019").find(c) != std::u32string_view::npos;
    if (plain)
      parted += c;
    else
      ((parted += U' ') += c) += U' ';
  };
  for (std::size_t i = 0; i < text.size();) {
    Utf8Char const c = utf8_at(text, i);
    append(c.code);
    i += c.bytes;
  }
  parted += U' ';
  std::u32string result;
  for (std::size_t i = 0; i < parted.size();) {
    std::size_t run = 0;
    while (i + run < parted.size() && parted[i + run] == U'.') ++run;
    if (run < 2) {
      result += parted[i++];
      continue;
    }
    ((result += U' ') += std::u32string(run, stop_of_run)) += U' ';
    i += run;
  }
  return result;
}

/// One kind of quote, one kind of dash, no dash between words, and contractions cut (`it 's`).
inline std::u32string normalize_meteor_marks(std::u32string text) {
  auto const digit = [](char32_t c) { return is_ascii_digit(c); };
  auto const letter = [](char32_t c) { return is_meteor_letter(c); };
  for (auto const& [before, after] : {std::pair{false, false}, {true, false}, {false, true}})
    text = rewrite_between(
        text,
        [&, b = before, a = after](char32_t x, char32_t y, char32_t z) {
          return y == U',' && digit(x) == b && digit(z) == a;
        },
        U" , ");
  std::u32string quotes;
  for (char32_t const c : text) quotes += c == U'`' || c == 0x2018 || c == 0x2019 ? U'\'' : c;
  text.clear();
  for (std::size_t i = 0; i < quotes.size(); ++i) {
    bool const two = quotes[i] == U'\'' && i + 1 < quotes.size() && quotes[i + 1] == U'\'';
    if (two || quotes[i] == 0x201C || quotes[i] == 0x201D)
      text += U" \" ";
    else
      text += quotes[i] == 0x2013 ? U'-' : quotes[i];
    i += two ? 1 : 0;
  }
  std::u32string dashes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    dashes += text[i];
    if (text[i] == U'-' && i + 1 < text.size() && text[i + 1] == U'-') ++i;
  }
  text = rewrite_between(
      dashes,
      [&](char32_t x, char32_t y, char32_t z) {
        return y == U'-' && (letter(x) || digit(x) || x == U'.') && (letter(z) || digit(z));
      },
      U" ");
  auto const apostrophe = [&](auto matches, std::u32string_view middle) {
    text =
        rewrite_between(text, [&](char32_t x, char32_t y, char32_t z) { return y == U'\'' && matches(x, z); }, middle);
  };
  apostrophe([&](char32_t x, char32_t z) { return !letter(x) && !letter(z); }, U" ' ");
  apostrophe([&](char32_t x, char32_t z) { return !letter(x) && !digit(x) && letter(z); }, U" ' ");
  apostrophe([&](char32_t x, char32_t z) { return letter(x) && !letter(z); }, U" ' ");
  apostrophe([&](char32_t x, char32_t z) { return letter(x) && letter(z); }, U" '");
  apostrophe([&](char32_t x, char32_t z) { return digit(x) && z == U's'; }, U" '");
  return text;
}

/// Abbreviations whose stop belongs to the word; true: only before a number.
using MeteorPrefixes = std::unordered_map<std::string, bool>;

/// @throws FileError when the file is missing or not UTF-8
inline MeteorPrefixes read_meteor_prefixes(std::filesystem::path const& path) {
  std::string const text = read_word_list(path);
  MeteorPrefixes prefixes;
  for (auto const& line : split_lines(text)) {
    auto const words = split_ascii_white_space(line.text);
    if (!words.empty() && words[0][0] != '#') prefixes[words[0]] = words.size() > 1 && words[1] == "#NUMERIC_ONLY#";
  }
  return prefixes;
}

inline std::string to_utf8(std::u32string_view text) {
  std::string bytes;
  for (char32_t const c : text) append_utf8(bytes, c == stop_of_run ? U'.' : c);
  return bytes;
}

/// A word whose last stop may be cut off; `next` is the word behind it, or empty.
inline std::string cut_meteor_stop(std::u32string const& word, std::u32string const& next,
                                   MeteorPrefixes const& prefixes) {
  if (word.size() < 2 || word.back() != U'.') return to_utf8(word);
  std::u32string const before = word.substr(0, word.size() - 1);
  bool letters = false;
  for (char32_t const c : before) letters = letters || is_meteor_letter(c);
  if (letters && before.find(U'.') != std::u32string::npos) {  // U.S. -> US
    std::u32string bare;
    for (char32_t const c : before)
      if (c != U'.') bare += c;
    return to_utf8(bare);
  }
  auto const known = prefixes.find(to_utf8(before));
  bool const kept = (known != prefixes.end() && !known->second) ||
                    (!next.empty() && next[0] >= U'a' && next[0] <= U'z') ||
                    (known != prefixes.end() && known->second && !next.empty() && is_ascii_digit(next[0]));
  return kept ? to_utf8(word) : to_utf8(before) + " .";
}

/// The lower-cased words that METEOR 1.5 aligns under `-norm` in English.
inline std::vector<std::string> meteor_words(std::string_view text, MeteorPrefixes const& prefixes) {
  std::u32string const marks = normalize_meteor_marks(part_meteor_symbols(text));
  std::vector<std::u32string> pieces(1);
  for (char32_t const c : marks) {
    if (c == U' ' || c == U'\t' || c == U'\n' || c == U'\r' || c == U'\f') {
      if (!pieces.back().empty()) pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  if (pieces.back().empty()) pieces.pop_back();
  std::string line;
  for (std::size_t i = 0; i < pieces.size(); ++i)
    (line += cut_meteor_stop(pieces[i], i + 1 < pieces.size() ? pieces[i + 1] : std::u32string(), prefixes)) += ' ';
  std::string spaced;
  for (std::size_t i = 0; i < line.size();) {
    Utf8Char const c = utf8_at(line, i);
    bool const space = (c.code >= 0x2000 && c.code <= 0x200A) || c.code == 0x202F || c.code == 0x205F ||
                       c.code == 0x3000 || c.code == 0xA0;
    if (space)
      spaced += ' ';
    else
      spaced.append(line, i, c.bytes);
    i += c.bytes;
  }
  return split_ascii_white_space(lowercase(spaced));
}

}  // namespace graft::detail
