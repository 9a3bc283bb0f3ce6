/// @file
/// @brief Penn Treebank words, as Stanford's PTBTokenizer cuts them for coco-caption.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <graft/metrics/tokenization.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

inline bool is_between_digits(std::string_view text, std::size_t at) {
  return at + 1 < text.size() && is_digit(text[at + 1]) && at > 0 && is_digit(text[at - 1]);
}

/// Puts spaces around the characters that the Penn Treebank's tokenization always parts; `£`, `€` become `#`, `$`,
/// quotes `''`.
inline std::string part_treebank_symbols(std::string_view text) {
  static std::array<std::pair<std::string_view, std::string_view>, 7> const multibyte = {{{"...", " ... "},
                                                                                          {"\xe2\x80\xa6", " ... "},
                                                                                          {"\xc2\xa3", " # "},
                                                                                          {"\xe2\x82\xac", " $ "},
                                                                                          {"\xe2\x80\x9c", " '' "},
                                                                                          {"\xe2\x80\x9d", " '' "},
                                                                                          {"\xe2\x80\x99", "'"}}};
  constexpr std::string_view parted = "$()[]{};:?!%&@*=+~";
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    auto const known = std::find_if(multibyte.begin(), multibyte.end(),
                                    [&](auto const& pair) { return text.substr(i, pair.first.size()) == pair.first; });
    if (known != multibyte.end()) {
      result += known->second;
      i += known->first.size();
      continue;
    }
    char const c = text[i];
    bool const inside_number = is_between_digits(text, i);
    if (c == '"')
      result += " '' ";
    else if (parted.find(c) != std::string_view::npos || ((c == ',' || c == '/') && !inside_number))
      (((result += ' ') += c) += ' ');
    else
      result += c;
    ++i;
  }
  return result;
}

/// True for `u.k.` and the like, and titles: their last stop belongs to the word.
inline bool is_abbreviation(std::string_view word) {
  if (word == "st." || word == "mr." || word == "mrs." || word == "dr.") return true;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (i % 2 == 0 ? word[i] < 'a' || word[i] > 'z' : word[i] != '.') return false;
  return word.size() % 2 == 0;
}

/// Adds a word without outer punctuation, contractions cut as the Treebank has them (`do n't`, `it 's`, `can not`).
inline void add_treebank_word(std::vector<std::string>& words, std::string_view word) {
  constexpr std::array<std::string_view, 7> endings = {"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"};
  while (!word.empty() && word.front() == '\'' && std::find(endings.begin(), endings.end(), word) == endings.end())
    word.remove_prefix(1);
  while (!word.empty() && (word.front() == '`' || word.front() == '-' || word.front() == '.')) word.remove_prefix(1);
  while (!word.empty() && (word.back() == '\'' || word.back() == '-' || word.back() == '.' || word.back() == '`') &&
         !is_abbreviation(word))
    word.remove_suffix(1);
  if (word.empty()) return;
  if (word == "cannot") {
    words.insert(words.end(), {"can", "not"});
    return;
  }
  for (std::string_view const ending : endings)
    if (word.size() > ending.size() && word.substr(word.size() - ending.size()) == ending) {
      words.emplace_back(word.substr(0, word.size() - ending.size()));
      words.emplace_back(ending);
      return;
    }
  words.emplace_back(word);
}

/// Lower-cased Penn Treebank words without the punctuation that coco-caption drops: `'' ' `` ` . ? ! , : - -- ... ;`
inline std::vector<std::string> treebank_words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string const& piece : split_white_space(part_treebank_symbols(lowercase(text)))) {
    if (piece == "?" || piece == "!" || piece == "," || piece == ":" || piece == ";") continue;
    add_treebank_word(words, piece);
  }
  return words;
}

}  // namespace detail
}  // namespace graft
