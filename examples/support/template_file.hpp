/// @file
/// @brief The template of a run: the options', else the one kept beside an adapter or a merged model, else the default.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>

#include <graft/core/warning.hpp>
#include <graft/data/template.hpp>
#include <graft/io/adapter_folder.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/template_file.hpp>
#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>
#include <graft/text/printable.hpp>

#include "support/program.hpp"

namespace support {

/// What the command line says of the template.
struct TemplateOptions {
  std::optional<std::string> separator;
  bool begin_token = false;
  std::optional<graft::Index> max_source;
};

/// Whether a model's configuration lists the characters that it reads, in place of a tokenizer.
inline bool reads_characters(std::filesystem::path const& model) {
  auto const path = model / "config.json";
  return graft::is_there(path) && graft::read_json(path).contains("grapheme_chars");
}

inline graft::TextKind text_kind(std::filesystem::path const& model, graft::ModelConfig const& config,
                                 graft::ModelInfo const& info) {
  if (info.classifies) return graft::TextKind::classes;
  if (reads_characters(model)) return graft::TextKind::characters;
  return config.encoder ? graft::TextKind::pair : graft::TextKind::continuation;
}

/// The template in `folder`. @throws FileError for one of another kind of model
inline std::optional<graft::AdapterTemplate> load_template(std::filesystem::path const& folder, graft::TextKind kind) {
  auto saved = graft::load_template(folder);
  if (!saved) return std::nullopt;
  if (saved->kind && *saved->kind != kind)
    graft::fail<graft::FileError>("[", (folder / graft::template_file).string(),
                                  "] is the template of another kind of model; got ",
                                  graft::text_kind_name(*saved->kind), "; expected ", graft::text_kind_name(kind));
  if (!saved->kind) {  // of the first version
    saved->kind = kind;
    saved->form.apart = kind == graft::TextKind::pair;
    if (kind == graft::TextKind::characters) saved = graft::AdapterTemplate::of(kind);
  }
  return saved;
}

/// Whether --begin-token changes what a model reads: not where the tokenizer's own files put the token there.
inline bool adds_beginning_token(std::filesystem::path const& model, graft::Template const& form) {
  auto const tokenizer = graft::load_tokenizer(model);
  auto const begin = tokenizer.special_tokens().bos;
  auto const before = graft::surrounding_tokens(tokenizer, form).before;
  return !begin || before.empty() || before.front() != *begin;
}

/// Puts what the options say in place of `saved`; where that was kept in `folder` and differs, a warning says so.
inline void apply_options(graft::AdapterTemplate& saved, TemplateOptions const& given,
                          std::filesystem::path const& model, std::string const& folder = {}) {
  if (*saved.kind == graft::TextKind::characters && (given.begin_token || !given.separator.value_or("").empty()))
    graft::fail<graft::ConfigError>(
        "[template] got --", given.begin_token ? "begin-token" : "separator",
        " for a model whose config.json lists the characters that it reads; expected neither: ",
        "it has no separator, and its own beginning token");
  auto const differs = [&](char const* what, std::string const& kept, std::string const& now) {
    if (!folder.empty())
      graft::warn("[", folder, "/", graft::template_file, "] says that training had ", what, " ", kept, "; got ", now,
                  " as an option, which is taken");
  };
  if (given.separator && *given.separator != saved.form.separator)
    differs("the separator", graft::printable(saved.form.separator), graft::printable(*given.separator));
  if (!folder.empty() && given.begin_token && !saved.form.begin_token && adds_beginning_token(model, saved.form))
    differs("no", "beginning token", "one");
  auto const length = [](graft::Index most) {
    return most > 0 ? graft::cat("at most ", most, " tokens") : std::string("any length");
  };
  bool const limit_known = saved.max_source > 0 || saved.form.special_tokens;  // files of the first version do not say
  if (given.max_source && *given.max_source != saved.max_source && limit_known)
    differs("sources of", length(saved.max_source), length(*given.max_source));
  saved.form.separator = given.separator.value_or(saved.form.separator);
  saved.form.begin_token = saved.form.begin_token || given.begin_token;
  saved.max_source = given.max_source.value_or(saved.max_source);
}

/// For training: what a merged model's folder keeps, else the kind's default; the options override it, with a warning
/// where they differ from what is kept.
/// @param says whether it is said
inline graft::AdapterTemplate template_to_train(std::filesystem::path const& model, graft::TextKind kind,
                                                TemplateOptions const& given, bool says = true) {
  auto const kept = load_template(model, kind);
  auto saved = kept.value_or(graft::AdapterTemplate::of(kind));
  apply_options(saved, given, model, kept && says ? model.string() : std::string());
  return saved;
}

/// Says of a tokenizer's files and a generation_config.json in an adapter's folder, where PEFT's users save them, that
/// the base's are read in their place, where they differ.
inline void say_unread_files(std::filesystem::path const& model, std::filesystem::path const& adapter) {
  static constexpr std::array names{"tokenizer.json",
                                    "tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "added_tokens.json",
                                    "vocab.json",
                                    "merges.txt",
                                    "vocab.txt",
                                    "spiece.model",
                                    "tokenizer.model",
                                    "sentencepiece.bpe.model",
                                    "generation_config.json"};
  std::error_code missing;
  if (std::filesystem::equivalent(model, adapter, missing)) return;
  std::string differing;
  for (char const* name : names) {
    if (!std::filesystem::is_regular_file(adapter / name, missing)) continue;
    if (std::filesystem::is_regular_file(model / name, missing) &&
        graft::MappedFile::open(adapter / name)->text() == graft::MappedFile::open(model / name)->text())
      continue;
    differing += (differing.empty() ? "" : ", ") + std::string(name);
  }
  if (!differing.empty())
    graft::warn("[", adapter.string(),
                "] holds files that differ from the base's or that the base lacks, and are not read: ", differing,
                "; the base's own tokenizer and generation settings are taken, from ", model.string(),
                "; hint: where the adapter needs its own, put them into a copy of the base");
}

/// For a model as it is used: what the adapter's folder keeps (without an adapter, a merged model's); else nothing but
/// the tokenizer's own special tokens.
inline graft::AdapterTemplate template_to_use(std::filesystem::path const& model, std::filesystem::path const& adapter,
                                              graft::TextKind kind, TemplateOptions const& given) {
  std::filesystem::path const& folder = adapter.empty() ? model : adapter;
  if (!adapter.empty()) say_unread_files(model, adapter);
  auto saved = load_template(folder, kind);
  bool const kept = saved.has_value();
  if (!kept) {
    saved = graft::AdapterTemplate::of(kind);
    saved->form.separator.clear(), saved->form.target_prefix.clear();
    if (!adapter.empty() && !given.separator && kind == graft::TextKind::continuation &&
        !graft::AdapterFolder::open(adapter).is_peft())
      graft::warn("[", adapter.string(), "] does not say what stood around its texts in training; got no ",
                  graft::template_file, "; nothing but the tokenizer's special tokens is put there; ",
                  "hint: --separator");
  }
  apply_options(*saved, given, model, kept ? folder.string() : std::string());
  return *saved;
}

/// For `AdapterOptions::files`.
inline std::map<std::string, std::string> template_files(graft::AdapterTemplate const& saved) {
  return {{graft::template_file, graft::template_text(saved)}};
}

}  // namespace support
