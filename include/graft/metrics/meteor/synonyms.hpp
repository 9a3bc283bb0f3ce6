/// @file
/// @brief Synonyms for METEOR: the WordNet synsets of words, from the reference implementation's files.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/meteor/word_list.hpp>
#include <graft/metrics/tokenization.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace graft::detail {

/// The synsets (sets of words with one meaning, by number) of words and of the words that they are forms of.
class Synonyms {
 public:
  Synonyms() = default;
  /// Reads `english.synsets` (a word, then its sets) and `english.exceptions` (a word, then its irregular forms).
  /// @throws FileError when a file is missing or malformed
  explicit Synonyms(std::filesystem::path const& folder) {
    for_each_pair(folder / "english.synsets", [&](std::string_view word, std::vector<std::string> const& sets,
                                                  std::filesystem::path const& path, std::size_t line) {
      auto& numbers = sets_[std::string(word)];
      for (std::string const& set : sets) {
        std::int32_t number = 0;
        auto const [end, error] = std::from_chars(set.data(), set.data() + set.size(), number);
        if (error != std::errc() || end != set.data() + set.size())
          fail<FileError>("[", path.string(), "] line ", line, ": got '", set, "'; expected a synset's number");
        numbers.insert(number);
      }
    });
    for_each_pair(folder / "english.exceptions", [&](std::string_view base, std::vector<std::string> const& forms,
                                                     std::filesystem::path const&, std::size_t) {
      for (std::string const& form : forms) bases_[form].emplace_back(base);
    });
  }

  /// The sets of a word and of its base forms.
  [[nodiscard]] std::unordered_set<std::int32_t> operator()(std::string const& word) const {
    std::unordered_set<std::int32_t> sets = of(word);
    if (auto const found = bases_.find(word); found != bases_.end())
      for (std::string const& base : found->second) sets.merge(of(base));
    else
      sets.merge(of(base_of(word)));
    return sets;
  }

 private:
  template <class Visit>
  static void for_each_pair(std::filesystem::path const& path, Visit visit) {
    std::string const text = read_word_list(path);
    auto const lines = split_lines(text);
    if (lines.empty() || lines.size() % 2 != 0)
      fail<FileError>("[", path.string(), "] got ", lines.size(), " lines; expected pairs of a word and its list");
    for (std::size_t i = 0; i < lines.size(); i += 2)
      visit(lines[i].text, split_ascii_white_space(lines[i + 1].text), path, lines[i + 1].number);
  }
  [[nodiscard]] std::unordered_set<std::int32_t> of(std::string const& word) const {
    auto const found = sets_.find(word);
    return found == sets_.end() ? std::unordered_set<std::int32_t>() : found->second;
  }
  /// The base form by WordNet's endings (nouns, verbs, adjectives), the first that is a word.
  [[nodiscard]] std::string base_of(std::string const& word) const {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 20> endings = {
        {{"s", ""},    {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"},
         {"ies", "y"}, {"s", ""},    {"ies", "y"}, {"es", "e"},  {"es", ""},     {"ed", "e"},    {"ed", ""},
         {"ing", "e"}, {"ing", ""},  {"er", ""},   {"est", ""},  {"er", "e"},    {"est", "e"}}};
    auto const ends_in = [&](std::string_view ending) {
      return word.size() >= ending.size() && std::string_view(word).substr(word.size() - ending.size()) == ending;
    };
    std::size_t units = 0;  // of UTF-16
    for (char const byte : word) {
      auto const c = static_cast<unsigned char>(byte);
      units += (c & 0xC0U) != 0x80U ? (c >= 0xF0U ? 2U : 1U) : 0U;
    }
    if (ends_in("ss") || units <= 2) return word;
    for (auto const& [ending, instead] : endings) {
      if (!ends_in(ending)) continue;
      std::string base = word.substr(0, word.size() - ending.size());
      base += instead;
      if (sets_.count(base) != 0) return ends_in("ful") ? base + "ful" : base;
    }
    return {};
  }

  std::unordered_map<std::string, std::unordered_set<std::int32_t>> sets_;
  std::unordered_map<std::string, std::vector<std::string>> bases_;
};

}  // namespace graft::detail
