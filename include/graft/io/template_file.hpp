/// @file
/// @brief graft_template.json: what stood around the texts that an adapter was trained on, kept in its folder.
///
///     {"version": 2, "kind": "continuation", "separator": " ->", "target_prefix": " ", "special_tokens":
/// true, "begin_token": false, "max_source": 0}
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/core/presence.hpp>
#include <graft/data/template.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/io/json.hpp>

namespace graft {

/// How a model reads an example's texts.
enum class TextKind : std::uint8_t {
  continuation,  ///< a decoder reads the source and continues it with the target
  pair,          ///< an encoder reads the source, a decoder writes the target
  characters,    ///< the same by the characters that the model's configuration lists: nothing but beginning and end
                 ///< stands around them
  classes        ///< an encoder reads one text or two and tells classes apart
};

/// The kinds' names in files.
inline constexpr std::array text_kinds{std::pair{TextKind::continuation, "continuation"},
                                       std::pair{TextKind::pair, "pair"}, std::pair{TextKind::characters, "characters"},
                                       std::pair{TextKind::classes, "classes"}};
[[nodiscard]] inline std::string text_kind_name(TextKind kind) {
  for (auto const& [value, name] : text_kinds)
    if (value == kind) return name;
  return {};
}

/// What an adapter's folder keeps of the texts that it was trained on. Each kind has its own part of it.
struct AdapterTemplate {
  std::optional<TextKind> kind =
      TextKind::continuation;            ///< none in files of the first version, which are written as such again
  Template form = {};                    ///< of continuations and pairs; the end token is the tokenizer's and not kept
  Index max_source = 0;                  ///< longest source in tokens; 0 for no limit. Not of classes
  Index texts = 1;                       ///< of classes: 1, or 2 for pairs of texts
  Index max_length = 0;                  ///< of classes: longest row in tokens; 0 for no limit
  std::vector<std::string> labels = {};  ///< of classes: their names, in the order of their numbers; none: the numbers

  /// The default of a kind.
  [[nodiscard]] static AdapterTemplate of(TextKind kind) {
    bool const decoder = kind == TextKind::continuation;
    return {.kind = kind, .form = decoder ? Template{} : Template::of_pairs()};
  }
};

namespace detail {

inline constexpr std::int64_t template_version = 2;

/// Refuses keys that this version does not know: they would say what the programs then do not do.
inline void check_template_keys(std::string const& where, nlohmann::json const& json,
                                std::initializer_list<std::string_view> known) {
  for (auto const& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), std::string_view(key)) != known.end()) continue;
    std::string names;
    for (auto const name : known) names += (names.empty() ? "" : ", ") + std::string(name);
    fail<FileError>("[", where, "] has the unknown key ", printable(key), "; got ", json_excerpt(value),
                    "; expected only ", names);
  }
}

/// `template_text`, once in graft::compiled.
template <class = void>
[[nodiscard]] std::string write_template(AdapterTemplate const& saved) {
  if (!saved.kind)  // of the first version, which says less
    return nlohmann::ordered_json{{"separator", saved.form.separator},
                                  {"target_prefix", saved.form.target_prefix},
                                  {"begin_token", saved.form.begin_token}}
               .dump(2) +
           "\n";
  TextKind const kind = *saved.kind;
  nlohmann::ordered_json json{{"version", template_version}, {"kind", text_kind_name(kind)}};
  if (kind == TextKind::continuation || kind == TextKind::pair)
    json.update({{"separator", saved.form.separator},
                 {"target_prefix", saved.form.target_prefix},
                 {"special_tokens", saved.form.special_tokens},
                 {"begin_token", saved.form.begin_token}});
  if (kind == TextKind::classes)
    json.update({{"texts", saved.texts}, {"max_length", saved.max_length}});
  else
    json["max_source"] = saved.max_source;
  if (kind == TextKind::classes && !saved.labels.empty()) json["labels"] = saved.labels;
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// Files of the first version, of a decoder's texts alone: no special tokens but the beginning token where they name
/// it.
[[nodiscard]] inline AdapterTemplate first_template(std::string const& where, nlohmann::json const& json) {
  check_template_keys(where, json, {"version", "separator", "target_prefix", "begin_token"});
  AdapterTemplate saved;
  saved.kind = std::nullopt;
  saved.form.special_tokens = false;
  saved.form.separator = json_or(where, json, "separator", saved.form.separator);
  saved.form.target_prefix = json_or(where, json, "target_prefix", saved.form.target_prefix);
  saved.form.begin_token = json_or(where, json, "begin_token", saved.form.begin_token);
  return saved;
}

/// `load_template`, once in graft::compiled.
template <class = void>
[[nodiscard]] AdapterTemplate read_template(std::filesystem::path const& path) {
  JsonLimits limits;
  limits.bytes = std::size_t{1} << 20, limits.unique_keys = true;
  std::string const where = path.string();
  nlohmann::json const json = read_json(path, limits);
  if (!json.is_object())
    fail<FileError>("[", where, "] is no template; got ", json_excerpt(json), "; expected an object");
  auto const version = json.contains("version") ? json_at<std::int64_t>(where, json, "version") : 1;
  if (version == 1) return first_template(where, json);
  if (version != template_version)
    fail<FileError>("[", where, "] has the version ", version, "; expected 1 or ", template_version,
                    "; hint: it was written by another version of graft");
  std::string const name = json_at<std::string>(where, json, "kind");
  AdapterTemplate saved;
  saved.kind = std::nullopt;
  for (auto const& [kind, text] : text_kinds)
    if (name == text) saved = AdapterTemplate::of(kind);
  if (!saved.kind)
    fail<FileError>("[", where, "] has the kind ", printable(name),
                    "; expected continuation, pair, characters or classes");
  auto const size = [&](char const* key, Index least, Index most) {
    auto const value = json_at<Index>(where, json, key);
    if (value < least || value > most)
      fail<FileError>("[", where, "] has ", key, " ", value, "; expected ", least, " to ", most);
    return value;
  };
  constexpr Index longest = Index{1} << 31;
  if (*saved.kind == TextKind::classes) {
    check_template_keys(where, json, {"version", "kind", "texts", "max_length", "labels"});
    if (json.contains("labels")) saved.labels = json_at<std::vector<std::string>>(where, json, "labels");
    saved.texts = size("texts", 1, 2), saved.max_length = size("max_length", 0, longest);
    return saved;
  }
  saved.max_source = size("max_source", 0, longest);
  if (*saved.kind == TextKind::characters) {
    check_template_keys(where, json, {"version", "kind", "max_source"});
    return saved;
  }
  check_template_keys(where, json,
                      {"version", "kind", "separator", "target_prefix", "special_tokens", "begin_token", "max_source"});
  saved.form.separator = json_at<std::string>(where, json, "separator"),
  saved.form.target_prefix = json_at<std::string>(where, json, "target_prefix");
  saved.form.special_tokens = json_at<bool>(where, json, "special_tokens"),
  saved.form.begin_token = json_at<bool>(where, json, "begin_token");
  return saved;
}
#ifdef GRAFT_COMPILED_IO
extern template std::string write_template<>(AdapterTemplate const&);
extern template AdapterTemplate read_template<>(std::filesystem::path const&);
#endif

}  // namespace detail

/// The text of a graft_template.json, for `AdapterOptions::files`:
///
///     save_adapter(model, folder, {.files = {{template_file, template_text(saved)}}});
[[nodiscard]] inline std::string template_text(AdapterTemplate const& saved) { return detail::write_template(saved); }

/// What a folder keeps; nothing where it has no graft_template.json, as PEFT's own adapters.
/// @throws FileError for a file that is malformed, of a newer version, or has a key or a value that graft does not know
[[nodiscard]] inline std::optional<AdapterTemplate> load_template(std::filesystem::path const& folder) {
  auto const path = folder / template_file;
  std::error_code missing;
  // a link that leads nowhere is said by opening it
  bool const link = std::filesystem::symlink_status(path, missing).type() == std::filesystem::file_type::symlink;
  if (!link && !is_there(path)) return std::nullopt;
  return detail::read_template(path);
}

}  // namespace graft
