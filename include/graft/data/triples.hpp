/// @file
/// @brief Sets of triples (subject, property, object) with texts that say them: the entries of WebNLG and DART, and the
/// text that a language model reads in their place.
#pragma once

#include <algorithm>
#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/data/data_options.hpp>
#include <graft/data/e2e.hpp>
#include <graft/data/example.hpp>
#include <graft/data/text_file.hpp>
#include <graft/text/printable.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// A statement about a thing.
struct Triple {
  std::string subject, property, object;
};

/// One text that says an entry's triples.
struct TripleText {
  std::string text;
  std::string comment;   ///< what annotators said of it ("good", "toFix"); in DART, where it comes from
  std::string language;  ///< "en", "ru"; empty where the file does not say
};

/// The two data sets, which the paper's code writes out differently.
enum class TripleSet { webnlg, dart };

/// What is described, and texts that describe it.
struct TripleEntry {
  std::string id;      ///< the file's name for it
  std::string domain;  ///< WebNLG's category, such as Airport; DART has none
  std::vector<Triple> triples;
  std::vector<TripleText> texts;
  std::size_t line = 0;  ///< where it begins in its file
};

/// `Aarhus | leaderName | Jacob_Bundsgaard` as a triple. A further bar belongs to the object.
/// @throws FileError naming `where` for a text of fewer than three parts, or with an empty one
[[nodiscard]] inline Triple parse_triple(std::string_view text, std::string const& where) {
  std::size_t const first = text.find('|'),
                    second = first == std::string_view::npos ? first : text.find('|', first + 1);
  Triple triple;
  if (second != std::string_view::npos)
    triple = {detail::join_lines(text.substr(0, first)), detail::join_lines(text.substr(first + 1, second - first - 1)),
              detail::join_lines(text.substr(second + 1))};
  if (triple.subject.empty() || triple.property.empty() || triple.object.empty())
    fail<FileError>(where, " has a malformed triple; got ", printable(trim(text)),
                    "; expected 'subject | property | object'");
  return triple;
}

/// The source text of a set of triples. Names are written as the file has them, with their underscores.
[[nodiscard]] inline std::string linearize_triples(std::vector<Triple> const& triples,
                                                   TripleSet set = TripleSet::webnlg,
                                                   Linearization how = Linearization::prefix_tuning) {
  std::string text;
  for (Triple const& triple : triples) {
    std::string property = triple.property;
    if (how == Linearization::prefix_tuning) {
      if (set == TripleSet::webnlg) text += text.empty() ? "| " : " | ";
      if (set == TripleSet::dart) {
        if (!text.empty()) text += " | ";
        for (char& c : property) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      }
      text += triple.subject + " : " + property + " : " + triple.object;
    } else if (how == Linearization::pipes) {
      text += (text.empty() ? "" : " && ") + triple.subject + " | " + property + " | " + triple.object;
    } else {
      text += (text.empty() ? "<H> " : " <H> ") + triple.subject + " <R> " + property + " <T> " + triple.object;
    }
  }
  return text;
}

namespace detail {

/// Whether a text is one that the options ask for.
[[nodiscard]] inline bool is_wanted(TripleText const& text, TripleSet set, DataOptions const& options) {
  if (!options.language.empty() && !text.language.empty() && text.language != options.language) return false;
  return !options.good_texts || set == TripleSet::dart || text.comment == "good";
}

/// One example a text. Empty texts are left out, with a warning; so are the texts of several languages, if none is
/// asked for, not without one.
/// @throws FileError for an entry without triples or texts, and if nothing is left
[[nodiscard]] inline std::vector<Example> triple_examples(std::vector<TripleEntry> const& entries, TripleSet set,
                                                          std::string const& file, DataOptions const& options) {
  if (options.good_texts && set == TripleSet::dart)
    fail<ConfigError>("[", file,
                      "] is of DART, which marks no texts as good; got a choice of good texts; expected none");
  Linearization const how = options.linearization.value_or(Linearization::prefix_tuning);
  std::vector<Example> examples;
  std::set<std::string> languages;
  std::size_t empty = 0;
  for (TripleEntry const& entry : entries) {
    std::string const where = cat("[", file, "] line ", entry.line);
    if (entry.triples.empty())
      fail<FileError>(where, ": the entry ", printable_name(entry.id), " has no triples; expected at least one");
    if (entry.texts.empty())
      fail<FileError>(where, ": the entry ", printable_name(entry.id),
                      " has no text; expected at least one; hint: is it a test file without references?");
    std::string const source = linearize_triples(entry.triples, set, how);
    for (TripleText const& text : entry.texts) {
      if (!is_wanted(text, set, options)) continue;
      std::string target = join_lines(text.text);
      if (target.empty()) {
        ++empty;
        continue;
      }
      languages.insert(text.language);
      examples.push_back(
          {source, std::move(target), {}, set == TripleSet::dart ? text.comment : entry.domain, entry.line, entry.id});
    }
  }
  languages.erase("");
  if (!options.language.empty() && languages.empty() && !examples.empty())
    fail<ConfigError>("[", file, "] names no languages of its texts; got the language ", printable(options.language),
                      "; expected none");
  if (examples.empty())
    fail<FileError>("[", file, "] no texts are left; got ", entries.size(), " entries",
                    options.language.empty() ? "" : ", none with a text in the language " + printable(options.language),
                    options.good_texts ? ", asked for texts that are marked good" : "", "; expected at least one text");
  if (empty > 0) warn("[", file, "] ", empty, empty == 1 ? " text is" : " texts are", " empty, and left out");
  if (languages.size() > 1)
    warn("[", file, "] has texts in several languages, of which all are taken; hint: ask for one (--language)");
  return examples;
}

/// DART's JSON and XML name no domain; its XML has the category MISC throughout.
[[nodiscard]] inline TripleSet triple_set_of(std::vector<TripleEntry> const& entries) {
  bool const misc =
      std::all_of(entries.begin(), entries.end(), [](auto const& entry) { return entry.domain == "MISC"; });
  return misc ? TripleSet::dart : TripleSet::webnlg;
}

}  // namespace detail

}  // namespace graft
