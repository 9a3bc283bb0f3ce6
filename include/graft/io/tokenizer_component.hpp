/// @file
/// @brief What the readers of tokenizer.json's components have in common.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

/// The `type` of a component of tokenizer.json.
[[nodiscard]] inline std::string component_type(std::string const& source, nlohmann::json const& component) {
  return json_at<std::string>(source, component, "type");
}

/// A member of an object, by reference; throws FileError if it is not there.
[[nodiscard]] inline nlohmann::json const& member(std::string const& source, nlohmann::json const& object,
                                                  std::string const& key) {
  if (!object.is_object() || !object.contains(key))
    fail<FileError>("[", source, "] lacks the key ", printable(key), "; got ", json_excerpt(object));
  return *object.find(key);
}

/// A component that is absent or null.
[[nodiscard]] inline bool is_absent(nlohmann::json const& root, char const* key) {
  return !root.contains(key) || root[key].is_null();
}

[[noreturn]] inline void unsupported(std::string const& source, std::string const& what, std::string const& got,
                                     std::string const& expected) {
  fail<ConfigError>("[", source, "] ", what, " is not supported; got ", printable(got), "; expected ", expected);
}

/// Warns of members that are not among `known`: what they say is not followed.
template <class Keys>
inline void check_members(std::string const& source, nlohmann::json const& object, std::string const& what,
                          Keys const& known) {
  for (auto const& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end() && !value.is_null())
      warn("[", source, "] entry ", printable(key), " of ", what, " is not known; it is ignored");
}

/// The members of all components but the model; those that only move offsets (`trim_offsets`) have no effect.
inline void check_component(std::string const& source, nlohmann::json const& component) {
  using Keys = std::vector<std::string_view>;
  static Keys const metaspaces{"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"};
  static std::pair<std::string_view, Keys> const types[] = {
      {"Metaspace", metaspaces},
      {"ByteLevel", {"type", "add_prefix_space", "trim_offsets", "use_regex"}},
      {"Digits", {"type", "individual_digits"}},
      {"Split", {"type", "pattern", "behavior", "invert"}},
      {"Strip", {"type", "strip_left", "strip_right", "content", "start", "stop"}},
      {"Prepend", {"type", "prepend"}},
      {"Replace", {"type", "pattern", "content"}},
      {"Precompiled", {"type", "precompiled_charsmap"}},
      {"BertNormalizer", {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}},
      {"WordPiece", {"type", "prefix", "cleanup"}},
      {"TemplateProcessing", {"type", "single", "pair", "special_tokens"}},
      {"BertProcessing", {"type", "sep", "cls"}},
      {"RobertaProcessing", {"type", "sep", "cls", "trim_offsets", "add_prefix_space"}}};
  std::string const type = component_type(source, component);
  static Keys const bare{"type"};
  Keys const* keys = &bare;
  for (auto const& [name, known] : types)
    if (name == type) keys = &known;
  check_members(source, component, type, *keys);
}

/// A component, or the members of a `Sequence` of them.
[[nodiscard]] inline std::vector<nlohmann::json const*> flattened(std::string const& source,
                                                                  nlohmann::json const& component,
                                                                  char const* members) {
  if (component_type(source, component) != "Sequence") {
    check_component(source, component);
    return {&component};
  }
  auto const list = component.find(members);
  if (list == component.end() || !list->is_array())
    fail<FileError>("[", source, "] Sequence has no list ", printable(members), "; expected an array");
  std::vector<nlohmann::json const*> all;
  for (auto const& member : *list)
    for (auto const* const inner : flattened(source, member, members)) all.push_back(inner);
  return all;
}

/// A text that goes into every text that is encoded or decoded: short, so that a small text cannot grow without bound.
[[nodiscard]] inline std::string read_short_text(std::string const& source, nlohmann::json const& component,
                                                 char const* key) {
  constexpr std::size_t most = 256;
  auto text = json_at<std::string>(source, component, key);
  if (text.size() > most)
    fail<FileError>("[", source, "] ", key, " is too long; got ", text.size(), " bytes; expected at most ", most);
  return text;
}

/// The pattern of `Replace`: `{"String": …}` or `{"Regex": …}`.
struct ReplacePattern {
  std::string text;
  bool regex = false;
};

[[nodiscard]] inline ReplacePattern read_replace_pattern(std::string const& source, nlohmann::json const& component) {
  auto const pattern = component.find("pattern");
  if (pattern == component.end() || !pattern->is_object())
    fail<FileError>("[", source, "] Replace has no pattern; expected {\"String\": …}");
  bool const regex = !pattern->contains("String");
  std::string text = read_short_text(source, *pattern, regex ? "Regex" : "String");
  if (text.empty()) fail<FileError>("[", source, "] Replace has an empty pattern; expected a text");
  return {std::move(text), regex};
}

}  // namespace graft::detail
