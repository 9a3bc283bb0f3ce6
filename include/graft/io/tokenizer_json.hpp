/// @file
/// @brief Tokenizers from Hugging Face's tokenizer.json, and from vocab.json with merges.txt.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_sax.hpp>
#include <graft/text/byte_level_bpe.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// The `type` of a component of tokenizer.json.
[[nodiscard]] inline std::string component_type(std::string const& source, nlohmann::json const& component) {
  return json_at<std::string>(source, component, "type");
}

/// A component that is absent or null.
[[nodiscard]] inline bool is_absent(nlohmann::json const& root, char const* key) { return !root.contains(key) || root[key].is_null(); }

[[noreturn]] inline void unsupported(std::string const& source, char const* what, std::string const& got, char const* expected) {
  fail<ConfigError>("[", source, "] ", what, " is not supported; got ", printable(got), "; expected ", expected);
}

/// A component, or the members of a `Sequence` of them.
[[nodiscard]] inline std::vector<nlohmann::json const*> flattened(std::string const& source, nlohmann::json const& component,
                                                                  char const* members) {
  if (component_type(source, component) != "Sequence") return {&component};
  auto const list = component.find(members);
  if (list == component.end() || !list->is_array())
    fail<FileError>("[", source, "] Sequence has no list ", printable(members), "; expected an array");
  std::vector<nlohmann::json const*> all;
  for (auto const& member : *list)
    for (auto const* const inner : flattened(source, member, members)) all.push_back(inner);
  return all;
}

[[nodiscard]] inline Normalizer read_normalizer(std::string const& source, nlohmann::json const& root) {
  if (is_absent(root, "normalizer")) return Normalizer::none;
  Normalizer form = Normalizer::none;
  for (auto const* const step : flattened(source, root["normalizer"], "normalizers")) {
    std::string const type = component_type(source, *step);
    Normalizer const next = type == "NFC"    ? Normalizer::nfc
                            : type == "NFD"  ? Normalizer::nfd
                            : type == "NFKC" ? Normalizer::nfkc
                            : type == "NFKD" ? Normalizer::nfkd
                                             : Normalizer::none;
    if (next == Normalizer::none || form != Normalizer::none)
      unsupported(source, "normalizer", type, "one of NFC, NFD, NFKC, NFKD, or none");
    form = next;
  }
  return form;
}

/// `Split` with a known pattern, its matches as words.
[[nodiscard]] inline PreTokenizerStep read_split(std::string const& source, nlohmann::json const& step) {
  auto const pattern = step.find("pattern");
  if (pattern == step.end() || !pattern->is_object()) fail<FileError>("[", source, "] Split has no pattern; expected {\"Regex\": …}");
  if (!pattern->contains("Regex"))
    unsupported(source, "Split pattern", pattern->begin() == pattern->end() ? "{}" : pattern->begin().key(), "Regex");
  auto const regex = json_at<std::string>(source, *pattern, "Regex");
  auto const found = find_split_pattern(regex);
  if (!found) {
    fail<ConfigError>("[", source, "] Split pattern is not a known one; got ", printable(regex),
                      "; expected the regular expression of GPT-2, Llama 3 or Qwen 2; hint: other expressions are never run");
  }
  auto const behavior = json_at<std::string>(source, step, "behavior");
  bool const inverted = json_or<bool>(source, step, "invert", false);
  if (behavior != (inverted ? "Removed" : "Isolated"))
    unsupported(source, "behavior of Split", behavior, "Isolated, or Removed with invert");
  return split_step(*found);
}

/// The steps up to `ByteLevel`, which spells bytes: nothing may follow it.
[[nodiscard]] inline PreTokenizer read_pre_tokenizer(std::string const& source, nlohmann::json const& root) {
  constexpr auto known = "a Sequence of Digits, Split and a last ByteLevel";
  if (is_absent(root, "pre_tokenizer")) unsupported(source, "pre-tokenizer", "null", known);
  std::vector<PreTokenizerStep> steps;
  bool spelled = false;
  for (auto const* const step : flattened(source, root["pre_tokenizer"], "pretokenizers")) {
    std::string const type = component_type(source, *step);
    if (spelled) unsupported(source, "pre-tokenizer after ByteLevel", type, known);
    if (type == "Digits") {
      steps.push_back(json_or<bool>(source, *step, "individual_digits", false) ? PreTokenizerStep::digits : PreTokenizerStep::digit_runs);
    } else if (type == "Split") {
      steps.push_back(read_split(source, *step));
    } else if (type == "ByteLevel") {
      if (json_or<bool>(source, *step, "add_prefix_space", true)) steps.push_back(PreTokenizerStep::prefix_space);
      if (json_or<bool>(source, *step, "use_regex", true)) steps.push_back(PreTokenizerStep::split_gpt2);
      spelled = true;
    } else {
      unsupported(source, "pre-tokenizer", type, known);
    }
  }
  if (!spelled) unsupported(source, "pre-tokenizer without ByteLevel", "Sequence", known);
  return PreTokenizer(std::move(steps));
}

[[nodiscard]] inline Decoder read_decoder(std::string const& source, nlohmann::json const& root) {
  if (is_absent(root, "decoder")) return Decoder::spaces;
  auto const members = flattened(source, root["decoder"], "decoders");
  for (auto const* const member : members)
    if (std::string const type = component_type(source, *member); type != "ByteLevel") unsupported(source, "decoder", type, "ByteLevel");
  if (members.size() != 1) unsupported(source, "decoder", "Sequence", "one ByteLevel");
  return Decoder::byte_level;
}

/// One entry of `added_tokens`, or of tokenizer_config.json's `added_tokens_decoder`.
[[nodiscard]] inline AddedToken read_added_token(std::string const& source, nlohmann::json const& entry, std::int64_t id) {
  if (id < 0 || id >= Vocabulary::id_limit)
    fail<FileError>("[", source, "] id of an added token is out of range; got ", id, "; expected 0 to ", Vocabulary::id_limit - 1);
  AddedToken token;
  token.content = json_at<std::string>(source, entry, "content");
  token.id = static_cast<Token>(id);
  token.special = json_or<bool>(source, entry, "special", false);
  token.lstrip = json_or<bool>(source, entry, "lstrip", false);
  token.rstrip = json_or<bool>(source, entry, "rstrip", false);
  token.single_word = json_or<bool>(source, entry, "single_word", false);
  token.normalized = json_or<bool>(source, entry, "normalized", !token.special);
  return token;
}

[[nodiscard]] inline std::vector<AddedToken> read_added_tokens(std::string const& source, nlohmann::json const& root) {
  std::vector<AddedToken> tokens;
  if (is_absent(root, "added_tokens")) return tokens;
  if (!root["added_tokens"].is_array())
    fail<FileError>("[", source, "] added_tokens is not a list; got ", json_excerpt(root["added_tokens"]), "; expected an array");
  for (auto const& entry : root["added_tokens"])
    tokens.push_back(read_added_token(source, entry, json_at<std::int64_t>(source, entry, "id")));
  return tokens;
}

/// The model; its type may be missing in old files, where merges tell that it is BPE.
/// Takes the tables out of `file`.
[[nodiscard]] inline std::shared_ptr<ByteLevelBpe const> read_bpe(std::string const& source, TokenizerJson& file) {
  auto const model = json_at<nlohmann::json>(source, file.rest, "model");
  if (!model.is_object()) fail<FileError>("[", source, "] model is not an object; got ", json_excerpt(model));
  std::string const type = json_or<std::string>(source, model, "type",
                                                file.has_merges          ? "BPE"
                                                : file.scored_vocabulary ? "Unigram"
                                                                         : "WordPiece");
  if (type != "BPE") unsupported(source, "tokenizer model", type, "BPE");
  if (!file.has_vocabulary) fail<FileError>("[", source, "] lacks model.vocab; expected {\"token\": id, …}");
  if (!file.has_merges) fail<FileError>("[", source, "] lacks model.merges; expected a list of pairs");
  for (char const* const affix : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (auto const value = json_or<std::string>(source, model, affix, ""); !value.empty()) unsupported(source, affix, value, "none");
  if (json_or<bool>(source, model, "byte_fallback", false)) unsupported(source, "byte_fallback", "true", "false (byte-level BPE)");
  if (json_or<double>(source, model, "dropout", 0.0) != 0.0) unsupported(source, "dropout", model["dropout"].dump(), "none");
  ByteLevelBpeFields fields;
  fields.vocabulary = std::move(file.vocabulary);
  fields.merges = std::move(file.merges);
  if (!is_absent(model, "unk_token")) fields.unknown = json_at<std::string>(source, model, "unk_token");
  fields.fuse_unknown = json_or<bool>(source, model, "fuse_unk", false);
  fields.ignore_merges = json_or<bool>(source, model, "ignore_merges", false);
  fields.source = source;
  return std::make_shared<ByteLevelBpe const>(std::move(fields));
}

/// If no file says which tokens end a text: the only special token, if it is GPT-2's, which is both beginning and end.
inline void default_special_tokens(TokenizerParts& parts) {
  AddedToken const* only = nullptr;
  for (AddedToken const& token : parts.added_tokens) {
    if (!token.special) continue;
    if (only != nullptr) return;
    only = &token;
  }
  if (only != nullptr && only->content == "<|endoftext|>") parts.special_tokens.bos = parts.special_tokens.eos = only->id;
}

/// The parts that a tokenizer.json describes, without roles of special tokens other than the model's unknown token.
[[nodiscard]] inline TokenizerParts read_tokenizer_parts(std::string_view text, std::string const& source) {
  TokenizerJson file = parse_tokenizer_json(text, source, TokenizerFile::tokenizer_json);
  nlohmann::json const& root = file.rest;
  TokenizerParts parts;
  parts.source = source;
  auto bpe = read_bpe(source, file);
  parts.normalizer = read_normalizer(source, root);
  parts.pre_tokenizer = read_pre_tokenizer(source, root);
  parts.decoder = read_decoder(source, root);
  parts.added_tokens = read_added_tokens(source, root);
  parts.special_tokens.unk = bpe->unknown();
  parts.model = std::move(bpe);
  return parts;
}

}  // namespace detail

/// A tokenizer from the text of a tokenizer.json; `source` names it in errors.
/// @throws FileError for malformed text, ConfigError for components that are not byte-level BPE's
[[nodiscard]] inline Tokenizer parse_tokenizer(std::string_view text, std::string const& source = "tokenizer.json") {
  TokenizerParts parts = detail::read_tokenizer_parts(text, source);
  detail::default_special_tokens(parts);
  return Tokenizer(std::move(parts));
}

}  // namespace graft
