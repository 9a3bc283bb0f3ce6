/// @file
/// @brief WebNLG's and DART's JSON files.
#pragma once

#include <cstddef>
#include <graft/core/error.hpp>
#include <graft/data/json_slices.hpp>
#include <graft/data/json_table.hpp>
#include <graft/data/triples.hpp>
#include <graft/text/printable.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace graft::detail {

/// `object[name]`. @throws FileError where it is missing
[[nodiscard]] inline nlohmann::json const& needed_field(nlohmann::json const& object, char const* name,
                                                        std::string const& where) {
  nlohmann::json const* const value = field_at(object, name);
  if (!value)
    fail<FileError>(where, " lacks the field ", name, "; got ",
                    object.is_object() ? "the fields " + listed_names(field_names(object)) : std::string("no object"),
                    "; expected it");
  return *value;
}
[[nodiscard]] inline nlohmann::json const& needed_list(nlohmann::json const& object, char const* name,
                                                       std::string const& where) {
  nlohmann::json const& list = needed_field(object, name, where);
  if (!list.is_array()) fail<FileError>(where, " has no list in the field ", name, "; expected one");
  return list;
}
/// The text at `name`; an empty one where it is missing.
[[nodiscard]] inline std::string text_or_none(nlohmann::json const& object, char const* name,
                                              std::string const& where) {
  nlohmann::json const* const value = field_at(object, name);
  return value ? field_text(*value, name, where) : std::string();
}
[[nodiscard]] inline std::string needed_text(nlohmann::json const& object, char const* name, std::string const& where) {
  return field_text(needed_field(object, name, where), name, where);
}

/// A subject, property or object. @throws FileError for null, a list and an object
[[nodiscard]] inline std::string triple_part(nlohmann::json const& value, char const* name, std::string const& where) {
  if (value.is_null())
    fail<FileError>(where, " has a malformed triple; got null in the field ", name, "; expected a text");
  return join_lines(field_text(value, name, where));
}

/// `{"category": …, "modifiedtripleset": [{"subject": …, "property": …, "object": …}], "lexicalisations": [{"lex":
/// …}]}`
[[nodiscard]] inline TripleEntry webnlg_entry(nlohmann::json const& json, std::string id, std::size_t line,
                                              std::string const& where) {
  TripleEntry entry{std::move(id), text_or_none(json, "category", where), {}, {}, line};
  for (nlohmann::json const& triple : needed_list(json, "modifiedtripleset", where))
    entry.triples.push_back({triple_part(needed_field(triple, "subject", where), "subject", where),
                             triple_part(needed_field(triple, "property", where), "property", where),
                             triple_part(needed_field(triple, "object", where), "object", where)});
  for (nlohmann::json const& text : needed_list(json, "lexicalisations", where))
    entry.texts.push_back(
        {needed_text(text, "lex", where), text_or_none(text, "comment", where), text_or_none(text, "lang", where)});
  return entry;
}

/// `{"tripleset": [["subject", "property", "object"]], "annotations": [{"source": …, "text": …}]}`
[[nodiscard]] inline TripleEntry dart_entry(nlohmann::json const& json, std::string id, std::size_t line,
                                            std::string const& where) {
  TripleEntry entry{std::move(id), {}, {}, {}, line};
  for (nlohmann::json const& triple : needed_list(json, "tripleset", where)) {
    if (!triple.is_array() || triple.size() != 3)
      fail<FileError>(where, " has a malformed triple; got ",
                      triple.is_array() ? cat("a list of ", triple.size()) : std::string("no list"),
                      "; expected [subject, property, object]");
    entry.triples.push_back({triple_part(triple[0], "tripleset", where), triple_part(triple[1], "tripleset", where),
                             triple_part(triple[2], "tripleset", where)});
  }
  for (nlohmann::json const& text : needed_list(json, "annotations", where))
    entry.texts.push_back({needed_text(text, "text", where), text_or_none(text, "source", where), {}});
  return entry;
}

/// The entries of a JSON file of triples: WebNLG's `{"entries": [{"1": entry}, …]}` or a list of DART's.
/// @throws FileError with file and line for an entry of another form
[[nodiscard]] inline std::pair<std::vector<TripleEntry>, TripleSet> json_triple_entries(std::string_view text,
                                                                                        std::string const& file) {
  std::vector<TripleEntry> entries;
  TripleSet set = TripleSet::webnlg;
  each_listed(text, file, [&](JsonSlice const& slice) {
    nlohmann::json const json = parse_slice(slice, file);
    std::string const where = cat("[", file, "] line ", slice.line);
    if (!json.is_object())
      fail<FileError>(where, " is no JSON object; got ", printable(slice.text.substr(0, 40)), "; expected an entry");
    if (json.contains("tripleset")) {
      set = TripleSet::dart;
      entries.push_back(dart_entry(json, cat("Id", entries.size() + 1), slice.line, where));
    } else if (json.size() == 1 && json.begin()->is_object()) {
      entries.push_back(webnlg_entry(*json.begin(), json.begin().key(), slice.line, where));
    } else {
      std::string const id = text_or_none(json, "xml_id", where);
      entries.push_back(webnlg_entry(json, id.empty() ? cat("Id", entries.size() + 1) : id, slice.line, where));
    }
  });
  return {std::move(entries), set};
}

/// Whether a file's first object is an entry of triples.
[[nodiscard]] inline bool holds_triples(std::string_view beginning) {
  return beginning.find("\"tripleset\"") != std::string_view::npos ||
         beginning.find("\"modifiedtripleset\"") != std::string_view::npos;
}

}  // namespace graft::detail
