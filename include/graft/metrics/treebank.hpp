/// @file
/// @brief Penn Treebank words, as Stanford's PTBTokenizer cuts them for coco-caption.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <graft/metrics/tokenization.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

inline bool is_between_digits(std::string_view text, std::size_t at) {
  return at + 1 < text.size() && is_digit(text[at + 1]) && at > 0 && is_digit(text[at - 1]);
}

/// Stands for a stop that belongs to its word because a comma, semicolon or colon follows.
inline constexpr char kept_stop = '\x01';

/// True for a letter, a digit, or a byte of a character beyond ASCII.
inline bool is_word_byte(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

/// Puts spaces around the characters that the Penn Treebank's tokenization always parts; `£`, `€` become `#`, `$`,
/// quotes `''`, brackets names such as `-lrb-`.
inline std::string part_treebank_symbols(std::string_view text) {
  static std::array<std::pair<std::string_view, std::string_view>, 15> const multibyte = {{{"...", " ... "},
                                                                                           {"(", " -lrb- "},
                                                                                           {")", " -rrb- "},
                                                                                           {"[", " -lsb- "},
                                                                                           {"]", " -rsb- "},
                                                                                           {"{", " -lcb- "},
                                                                                           {"}", " -rcb- "},
                                                                                           {"\xe2\x80\x93", " -- "},
                                                                                           {"\xe2\x80\x94", " -- "},
                                                                                           {"\xe2\x80\xa6", " ... "},
                                                                                           {"\xc2\xa3", " # "},
                                                                                           {"\xe2\x82\xac", " $ "},
                                                                                           {"\xe2\x80\x9c", " '' "},
                                                                                           {"\xe2\x80\x9d", " '' "},
                                                                                           {"\xe2\x80\x99", "'"}}};
  constexpr std::string_view parted = "$;:?!%&@*=+~";
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
    bool const before_mark = c == '.' && i > 0 && i + 1 < text.size() && is_word_byte(text[i - 1]) &&
                             std::string_view(",;:").find(text[i + 1]) != std::string_view::npos;
    if (before_mark)
      result += kept_stop;
    else if (c == '"')
      result += " '' ";
    else if (parted.find(c) != std::string_view::npos || ((c == ',' || c == '/') && !inside_number))
      (((result += ' ') += c) += ' ');
    else
      result += c;
    ++i;
  }
  return result;
}

/// True for `u.k.` and the like, months, days, titles and companies: their last stop belongs to the word.
inline bool is_abbreviation(std::string_view word) {
  static auto const& known = *new std::unordered_set<std::string_view>{
      "jan.",    "feb.",  "mar.",  "apr.",  "jun.",   "jul.",   "aug.",  "sep.", "sept.", "oct.",  "nov.",   "dec.",
      "mon.",    "tue.",  "tues.", "wed.",  "thu.",   "thurs.", "fri.",  "inc.", "co.",   "cos.",  "corp.",  "ltd.",
      "plc.",    "bros.", "jr.",   "esq.",  "etc.",   "al.",    "bldg.", "est.", "tel.",  "ext.",  "calif.", "conn.",
      "fla.",    "ga.",   "mich.", "minn.", "mo.",    "penn.",  "tenn.", "va.",  "wis.",  "wyo.",  "mr.",    "mrs.",
      "ms.",     "dr.",   "drs.",  "prof.", "profs.", "sen.",   "sens.", "rep.", "reps.", "lt.",   "col.",   "gen.",
      "messrs.", "gov.",  "govs.", "adm.",  "rev.",   "maj.",   "sgt.",  "cpl.", "pvt.",  "capt.", "st.",    "ste.",
      "ave.",    "pres.", "hon.",  "brig.", "cmdr.",  "mt.",    "ft.",   "mme.", "sr.",   "dept.", "blvd.",  "rd.",
      "natl.",   "vs.",   "alex.", "wm.",   "jos.",   "cf."};
  if (known.count(word) != 0) return true;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (i % 2 == 0 ? word[i] < 'a' || word[i] > 'z' : word[i] != '.') return false;
  return word.size() % 2 == 0;
}

/// True for words whose stop belongs to them where a number follows, as `no.` does.
inline bool is_number_abbreviation(std::string_view word) {
  constexpr std::array<std::string_view, 10> words = {"no.", "nos.", "fig.", "figs.", "ca.",
                                                      "pp.", "op.",  "sec.", "sect.", "approx."};
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// Adds a word without outer punctuation, contractions cut as the Treebank has them (`do n't`, `it 's`, `can not`).
/// @param before_number whether the next piece of text begins with a digit
inline void add_treebank_word(std::vector<std::string>& words, std::string_view word, bool before_number = false) {
  constexpr std::array<std::string_view, 7> endings = {"n't", "'s", "'re", "'ve", "'ll", "'d", "'m"};
  while (!word.empty() && word.front() == '\'' && std::find(endings.begin(), endings.end(), word) == endings.end())
    word.remove_prefix(1);
  bool const sign = word.size() > 1 && word[0] == '-' && is_digit(word[1]);  // of a number
  while (!sign && !word.empty() && (word.front() == '`' || word.front() == '-' || word.front() == '.'))
    word.remove_prefix(1);
  while (!word.empty() && (word.back() == '\'' || word.back() == '-' || word.back() == '.' || word.back() == '`') &&
         !is_abbreviation(word) && !(before_number && is_number_abbreviation(word)))
    word.remove_suffix(1);
  if (word.empty()) return;
  constexpr std::array<std::string_view, 6> joined = {"cannot", "gonna", "gotta", "lemme", "gimme", "wanna"};
  if (std::find(joined.begin(), joined.end(), word) != joined.end()) {
    std::size_t const cut = word.size() - (word == "cannot" ? 3 : 2);
    words.emplace_back(word.substr(0, cut));
    words.emplace_back(word.substr(cut));
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
  auto const pieces = split_white_space(part_treebank_symbols(lowercase(text)));
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    std::string const& piece = pieces[p];
    if (piece.size() == 5 && piece.front() == '-' && piece.back() == '-') {
      words.push_back(piece);
      continue;
    }
    if (piece == "?" || piece == "!" || piece == "," || piece == ":" || piece == ";") continue;
    std::size_t const first = words.size();
    add_treebank_word(words, piece, p + 1 < pieces.size() && is_digit(pieces[p + 1][0]));
    for (std::size_t i = first; i < words.size(); ++i) std::replace(words[i].begin(), words[i].end(), kept_stop, '.');
  }
  return words;
}

}  // namespace detail
}  // namespace graft
