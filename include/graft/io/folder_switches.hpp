/// @file
/// @brief The switches of tokenizer_config.json that every class has, and a word on those without effect.
#pragma once

#include <graft/core/warning.hpp>
#include <graft/io/folder_class.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_component.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/printable.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace graft::detail {

/// Keys of tokenizer_config.json that are read somewhere.
inline constexpr std::array<std::string_view, 22> honoured_keys{
    "tokenizer_class",
    "added_tokens_decoder",
    "additional_special_tokens",
    "extra_special_tokens",
    "model_specific_special_tokens",
    "add_prefix_space",
    "do_lower_case",
    "strip_accents",
    "tokenize_chinese_chars",
    "legacy",
    "extra_ids",
    "add_bos_token",
    "add_eos_token",
    "clean_up_tokenization_spaces",
    "clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output",
    "split_special_tokens",
    "do_basic_tokenize",
    "never_split",
    "sp_model_kwargs",
    "fix_mistral_regex",
    "model_input_names",
    "fast_tokenizer_files"};

/// Keys that change neither the ids of a text nor the text of ids, in transformers 5 neither.
inline constexpr std::array<std::string_view, 45> idle_keys{"model_max_length",
                                                            "max_len",
                                                            "max_length",
                                                            "stride",
                                                            "truncation",
                                                            "truncation_side",
                                                            "truncation_strategy",
                                                            "padding",
                                                            "padding_side",
                                                            "pad_to_multiple_of",
                                                            "pad_token_type_id",
                                                            "chat_template",
                                                            "chat_control_tokens",
                                                            "response_template",
                                                            "response_schema",
                                                            "name_or_path",
                                                            "processor_class",
                                                            "special_tokens_map_file",
                                                            "tokenizer_file",
                                                            "vocab_file",
                                                            "merges_file",
                                                            "spm_file",
                                                            "added_tokens_file",
                                                            "errors",
                                                            "use_fast",
                                                            "use_default_system_prompt",
                                                            "spaces_between_special_tokens",
                                                            "trim_offsets",
                                                            "backend",
                                                            "is_local",
                                                            "local_files_only",
                                                            "from_slow",
                                                            "init_inputs",
                                                            "files_loaded",
                                                            "verbose",
                                                            "return_token_type_ids",
                                                            "device_map",
                                                            "torch_dtype",
                                                            "dtype",
                                                            "transformers_version",
                                                            "_commit_hash",
                                                            "_from_auto",
                                                            "wordpieces_prefix",
                                                            "tokenizer_type",
                                                            "image_seq_len"};

/// Says where tokenizer_config.json chooses among versions of tokenizer.json, as transformers does by its own version.
inline void check_tokenizer_versions(TokenizerSettings const& settings) {
  auto const& [source, config] = settings.tokenizer_config();
  auto const found = config.find("fast_tokenizer_files");
  if (found == config.end() || !found->is_array()) return;
  for (auto const& name : *found)
    if (name.is_string() && name != "tokenizer.json")
      warn("[", source, "] names ", json_excerpt(name),
           " among its fast_tokenizer_files, of which transformers takes one by its version; tokenizer.json is read; ",
           "hint: put the file that is meant in its place");
}

/// Whether the tokenizer gives the model token types: what model_input_names says, else what its class has in
/// transformers 5. What the files say stands beside a model type that is not listed here, in a vocab.txt without a word
/// on its class, and in a tokenizer.json without any settings.
/// @param component_file whether the folder has a tokenizer.json, which transformers takes without types where settings
/// name no class
[[nodiscard]] inline bool gives_token_types(TokenizerSettings const& settings, bool component_file) {
  nlohmann::json const& config = settings.tokenizer_config().second;
  auto const found = config.find("model_input_names");
  if (found != config.end() && found->is_array())
    return std::find(found->begin(), found->end(), "token_type_ids") != found->end();
  auto const of_model = registered(settings.model_type());
  if (of_model && of_model->name.empty()) return false;
  std::string const name = settings.tokenizer_class();
  if (name.empty())
    return of_model ? of_model->token_types : !component_file || !settings.any() || !settings.model_type().empty();
  return known_class(name).token_types;
}

/// Says which entries of tokenizer_config.json are not known and which settings are not followed.
inline void check_config_keys(TokenizerSettings const& settings) {
  std::string const& source = settings.tokenizer_config().first;
  nlohmann::json const& config = settings.tokenizer_config().second;
  auto const among = [](auto const& keys, std::string_view key) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  for (auto const& [key, value] : config.items()) {
    bool const token = key.ends_with("_token") || key.ends_with("_token_id");
    if (among(honoured_keys, key) || among(idle_keys, key) || token || value.is_null()) continue;
    if (key == "auto_map") {
      warn("[", source,
           "] auto_map names a tokenizer that is a program of its own, which is not run; the folder's tokenizer files "
           "count");
    } else {
      warn("[", source, "] entry ", printable(key), " is not known; it is ignored");
    }
  }
  if (!settings.flag("do_basic_tokenize", true))
    warn("[", source, "] do_basic_tokenize false has no effect, as in transformers 5");
  auto const ignored = [&](char const* key) {
    auto const found = config.find(key);
    bool const idle =
        found == config.end() || found->is_null() || found->empty() || (found->is_boolean() && !found->get<bool>());
    if (!idle) warn("[", source, "] ", key, " is not followed; got ", json_excerpt(*found));
  };
  ignored("never_split"), ignored("sp_model_kwargs"), ignored("fix_mistral_regex");
}

/// Says what special_tokens_map.json adds where tokenizer_config.json lists the added tokens, for it is not read then.
inline void check_unread_map(TokenizerSettings const& settings) {
  if (!settings.lists_added_tokens()) return;
  auto const name = [](nlohmann::json const& token) {
    return token.is_object() && token.contains("content") ? token["content"] : token;
  };
  auto const& config = settings.tokenizer_config().second;
  for (auto const& [key, value] : settings.special_tokens_map().second.items()) {
    auto const found = config.find(key);
    bool const list = value.is_array() && key == "additional_special_tokens" && config.contains("extra_special_tokens");
    if (value.is_null() || list || (found != config.end() && (value.is_array() || name(*found) == name(value))))
      continue;
    warn("[", settings.special_tokens_map().first, "] ", printable(key),
         " is not read, as in transformers 5, where tokenizer_config.json has ", "added_tokens_decoder; got ",
         json_excerpt(value));
  }
}

/// The switches of decoding and of special tokens that are the same for every class.
/// @param bpe whether the model is BPE, whose decoded text is not cleaned
inline void use_common_switches(TokenizerParts& parts, TokenizerSettings const& settings, bool bpe) {
  check_config_keys(settings);
  check_unread_map(settings);
  bool const force = settings.flag("clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", false);
  parts.clean_up_spaces = settings.flag("clean_up_tokenization_spaces", false) && (!bpe || force);
  if (settings.flag("split_special_tokens", false))
    for (AddedToken& token : parts.added_tokens) token.in_text = token.in_text && !token.special;
}

/// What the normalizer of tokenizer.json does of that for which tokenizer_config.json has switches.
struct NormalizerSwitches {
  bool lowercase = false, strip_accents = false, handle_chinese_chars = false;
};

[[nodiscard]] inline NormalizerSwitches normalizer_switches(TokenizerParts const& parts, nlohmann::json const& root) {
  NormalizerSwitches found;
  if (is_absent(root, "normalizer")) return found;
  for (auto const* const step : flattened(parts.source, root["normalizer"], "normalizers")) {
    std::string const type = component_type(parts.source, *step);
    found.lowercase = found.lowercase || type == "Lowercase";
    found.strip_accents = found.strip_accents || type == "StripAccents";
    if (type != "BertNormalizer") continue;
    BertNormalizer const bert = read_bert_normalizer(parts.source, *step);
    found.lowercase = found.lowercase || bert.lowercase;
    found.strip_accents = found.strip_accents || bert.strip_accents.value_or(bert.lowercase);
    found.handle_chinese_chars = found.handle_chinese_chars || bert.handle_chinese_chars;
  }
  return found;
}

/// Says which switches the class in transformers does not follow either, where tokenizer.json says the opposite.
inline void check_idle_switches(TokenizerParts const& parts, nlohmann::json const& root,
                                TokenizerSettings const& settings) {
  std::string const& source = settings.tokenizer_config().first;
  auto const contradicts = [&](char const* key, bool file) {
    if (settings.says(key) && settings.flag(key, file) != file) {
      warn("[", source, "] ", key,
           " has no effect beside tokenizer.json with this tokenizer_class, as in transformers 5; got ",
           settings.flag(key, file) ? "true" : "false", " where tokenizer.json has ", file ? "true" : "false");
    }
  };
  auto const& single = parts.text_template.single();
  auto const special = [&](std::optional<Token> id, bool first) {
    TextTemplate::Part const& part = first ? single.front() : single.back();
    return id && part.kind == TextTemplate::Part::Kind::special && part.id == *id;
  };
  auto const role = [&](char const* name) {
    auto const content = settings.name_of(name);
    return content ? find_token(parts, *content) : std::nullopt;
  };
  contradicts("add_bos_token", special(role("bos"), true) || special(role("cls"), true));
  contradicts("add_eos_token", special(role("eos"), false) || special(role("sep"), false));
  auto const is_class = [&](FolderClass kind) {
    return class_named(settings.tokenizer_class()) == kind || registered_class(settings.model_type()) == kind;
  };
  if (!is_class(FolderClass::bert)) {
    NormalizerSwitches const file = normalizer_switches(parts, root);
    contradicts("do_lower_case", file.lowercase);
    contradicts("strip_accents", file.strip_accents);
    contradicts("tokenize_chinese_chars", file.handle_chinese_chars);
  }
  auto const& steps = parts.pre_tokenizer.steps();
  bool const always = std::find(steps.begin(), steps.end(), PreTokenizerStep::metaspace_prefix) != steps.end();
  bool const first = std::find(steps.begin(), steps.end(), PreTokenizerStep::metaspace_prefix_first) != steps.end();
  if (!is_class(FolderClass::llama) && (always || first)) contradicts("legacy", always);
  contradicts("add_prefix_space", parts.normalizer.puts_space_before() || parts.pre_tokenizer.puts_space_before());
  for (char const* const key : {"truncation", "padding"}) {
    if (!is_absent(root, key))
      warn("[", parts.source, "] ", key, " is not applied, as in transformers, whose programs ask for it; got ",
           json_excerpt(root[key]));
  }
}

}  // namespace graft::detail
