/// @file
/// @brief What the settings of a Hugging Face folder say about its tokenizer.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/presence.hpp>
#include <graft/core/types.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft::detail {

/// A small JSON file of a folder; an empty object where there is none.
[[nodiscard]] inline nlohmann::json read_settings(std::filesystem::path const& path) {
  if (!is_there(path)) return nlohmann::json::object();
  JsonLimits limits;
  limits.values = std::size_t{1} << 18;
  nlohmann::json settings = read_json(path, limits);
  if (!settings.is_object())
    fail<FileError>("[", path.string(), "] is not a JSON object; got ", json_excerpt(settings), "; expected {…}");
  return settings;
}

/// Roles ("bos", …) and the tokens that a class has for them.
using UsualTokens = std::vector<std::pair<std::string, std::string>>;

/// A folder's settings that concern its tokenizer: tokenizer_config.json, special_tokens_map.json, added_tokens.json
/// and config.json.
///
/// As in transformers, special_tokens_map.json has the last word, and where tokenizer_config.json lists
/// `added_tokens_decoder`, neither special_tokens_map.json nor added_tokens.json is read.
class TokenizerSettings {
 public:
  using File = std::pair<std::string, nlohmann::json>;  ///< path and content

  /// Of no folder: nothing is said.
  TokenizerSettings()
      : tokenizer_config_("", nlohmann::json::object()), map_(tokenizer_config_), config_(map_), added_(map_) {}

  explicit TokenizerSettings(std::filesystem::path const& folder) {
    auto const file = [&](char const* name) { return File((folder / name).string(), read_settings(folder / name)); };
    tokenizer_config_ = file("tokenizer_config.json"), map_ = file("special_tokens_map.json");
    config_ = file("config.json"), added_ = file("added_tokens.json");
    auto const listed = tokenizer_config_.second.find("added_tokens_decoder");
    lists_added_tokens_ = listed != tokenizer_config_.second.end();
    if (lists_added_tokens_ && !listed->is_object()) {
      fail<FileError>("[", tokenizer_config_.first, "] added_tokens_decoder is not an object; got ",
                      json_excerpt(*listed), "; expected {\"id\": {\"content\": …}, …}");
    }
  }

  [[nodiscard]] File const& tokenizer_config() const noexcept { return tokenizer_config_; }
  [[nodiscard]] File const& special_tokens_map() const noexcept { return map_; }
  /// added_tokens.json: contents and their ids.
  [[nodiscard]] File const& added_tokens() const noexcept { return added_; }
  [[nodiscard]] File const& config() const noexcept { return config_; }

  /// Whether tokenizer_config.json has `added_tokens_decoder`.
  [[nodiscard]] bool lists_added_tokens() const noexcept { return lists_added_tokens_; }

  /// Whether any file that concerns the tokenizer says anything.
  [[nodiscard]] bool any() const noexcept {
    return !added_.second.empty() || !map_.second.empty() || !tokenizer_config_.second.empty();
  }

  /// Whether tokenizer_config.json has the key, null being absent.
  [[nodiscard]] bool says(std::string const& key) const {
    auto const found = tokenizer_config_.second.find(key);
    return found != tokenizer_config_.second.end() && !found->is_null();
  }
  /// A switch of tokenizer_config.json.
  [[nodiscard]] bool flag(std::string const& key, bool otherwise) const {
    return says(key) ? json_at<bool>(tokenizer_config_.first, tokenizer_config_.second, key) : otherwise;
  }

  /// The class of Hugging Face's transformers that tokenizer_config.json or else config.json names, without "Fast";
  /// empty if none does.
  [[nodiscard]] std::string tokenizer_class() const {
    for (File const* const file : {&tokenizer_config_, &config_}) {
      auto name = is_absent(file->second, "tokenizer_class")
                      ? ""
                      : json_at<std::string>(file->first, file->second, "tokenizer_class");
      if (name.ends_with("Fast")) name.resize(name.size() - 4);
      if (!name.empty()) return name;
    }
    return "";
  }

  /// config.json's model type; empty if it has none.
  [[nodiscard]] std::string model_type() const {
    return is_absent(config_.second, "model_type") ? ""
                                                   : json_at<std::string>(config_.first, config_.second, "model_type");
  }

  /// The usual class for config.json's model type; empty if it is none of those here.
  [[nodiscard]] std::string usual_class() const {
    auto const type = model_type();
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> classes{
        {{"t5", "T5Tokenizer"},
         {"mt5", "MT5Tokenizer"},
         {"llama", "LlamaTokenizer"},
         {"mistral", "LlamaTokenizer"},
         {"xlm-roberta", "XLMRobertaTokenizer"},
         {"roberta", "RobertaTokenizer"},
         {"bart", "BartTokenizer"}}};
    for (auto const& [model, tokenizer] : classes)
      if (type == model) return std::string(tokenizer);
    return "";
  }

  /// The entry for a key of the files that count, the last word first; null where none has it. An entry may be null
  /// itself: "no token".
  [[nodiscard]] nlohmann::json const* entry(std::string const& key, std::string* source = nullptr) const {
    for (File const* const file : {&map_, &tokenizer_config_}) {
      if (file == &map_ && lists_added_tokens_) continue;
      auto const found = file->second.find(key);
      if (found == file->second.end()) continue;
      if (source != nullptr) *source = file->first;
      return &*found;
    }
    return nullptr;
  }

  /// The name of a role's token ("bos", …).
  [[nodiscard]] std::optional<std::string> name_of(std::string const& role) const {
    std::string source;
    nlohmann::json const* const found = entry(role + "_token", &source);
    if (found == nullptr || found->is_null() || (found->is_boolean() && !found->get<bool>())) return std::nullopt;
    return special_token(source, *found).content;
  }

  /// What the files say of special tokens without a role, under the two names of the list.
  struct SpecialLists {
    std::optional<File>
        extra;  ///< `extra_special_tokens` that is no object, or `additional_special_tokens` taken in its place
    std::optional<File> additional;  ///< `additional_special_tokens` otherwise; it counts where `extra` is absent
    std::vector<File> objects;       ///< names and tokens (`{"image_token": "<image>"}`)
  };
  [[nodiscard]] SpecialLists special_lists() const;

  /// The special tokens with a name, without ids: first those with a role, for which a class may have a usual token
  /// where no file speaks of it, then those with a name of their own (`image_token`).
  [[nodiscard]] std::vector<AddedToken> named_tokens(UsualTokens const& usual = {}) const;

  /// The special tokens of the list that counts, without ids.
  [[nodiscard]] std::vector<AddedToken> listed_special_tokens() const;

  /// The id of a role ("bos", …): by name, else config.json's `bos_token_id`. What is not in the vocabulary is no
  /// token: many configurations keep ids of another vocabulary, or -1.
  template <class Find>
  [[nodiscard]] std::optional<Token> role(std::string const& name, Token vocabulary_size, Find const& find) const {
    if (auto const token = name_of(name)) return find(*token);
    auto const& [source, settings] = config_;
    auto const found = settings.find(name + "_token_id");
    if (found == settings.end() || found->is_null()) return std::nullopt;
    bool const several = found->is_array() && !found->empty();  // Llama 3 lists several end tokens
    auto const id = several ? json_at<std::vector<std::int64_t>>(source, settings, name + "_token_id").front()
                            : json_at<std::int64_t>(source, settings, name + "_token_id");
    return id >= 0 && id < vocabulary_size ? std::optional<Token>(static_cast<Token>(id)) : std::nullopt;
  }

 private:
  /// `"<mask>"`, or `{"content": "<mask>", "lstrip": true, …}`.
  [[nodiscard]] static AddedToken special_token(std::string const& source, nlohmann::json const& token) {
    AddedToken special;
    if (token.is_object()) {
      special = read_added_token(source, token, 0);
      if (!token.contains("normalized")) special.normalized = false;
    } else {
      if (!token.is_string())
        fail<FileError>("[", source, "] special token is not a string; got ", json_excerpt(token));
      special.content = token.get<std::string>();
    }
    special.special = true;
    return special;
  }

  File tokenizer_config_, map_, config_, added_;
  bool lists_added_tokens_ = false;
};

/// The roles of special tokens, in the order in which transformers adds their tokens.
inline constexpr std::array<std::string_view, 7> token_roles{"bos", "eos", "unk", "sep", "pad", "cls", "mask"};

inline TokenizerSettings::SpecialLists TokenizerSettings::special_lists() const {
  SpecialLists lists;
  auto const take = [](File const& file, char const* key, std::optional<File>& into) {
    if (auto const found = file.second.find(key); found != file.second.end()) into = File(file.first, *found);
  };
  auto const name_objects = [&] {
    if (!lists.extra || !lists.extra->second.is_object()) return;
    lists.objects.push_back(std::move(*lists.extra));
    lists.extra.reset();
  };
  take(tokenizer_config_, "extra_special_tokens", lists.extra);
  take(tokenizer_config_, "additional_special_tokens", lists.additional);
  if (lists.additional && (!lists.extra || lists.extra->second.empty()))
    lists.extra = std::exchange(lists.additional, std::nullopt);
  name_objects();
  if (lists_added_tokens_) return lists;
  std::optional<File> const before = lists.extra;
  take(map_, "extra_special_tokens", lists.extra);
  bool const both = before && lists.extra && before->second.is_array() && lists.extra->second.is_array();
  if (both && map_.second.contains("extra_special_tokens"))
    lists.extra->second.insert(lists.extra->second.begin(), before->second.begin(), before->second.end());
  name_objects();
  take(map_, "additional_special_tokens", lists.additional);
  return lists;
}

inline std::vector<AddedToken> TokenizerSettings::named_tokens(UsualTokens const& usual) const {
  std::vector<AddedToken> all;
  std::string source;
  auto const add = [&](nlohmann::json const* token) {
    if (token != nullptr && !token->is_null() && !token->is_boolean()) all.push_back(special_token(source, *token));
  };
  for (std::string_view const role : token_roles) {
    nlohmann::json const* const token = entry(std::string(role) + "_token", &source);
    add(token);
    for (auto const& [name, content] : usual)
      if (token == nullptr && name == role) all.push_back({content, 0, true});
  }
  for (File const* const file : {&tokenizer_config_, &map_}) {
    if (file == &map_ && lists_added_tokens_) continue;
    source = file->first;
    for (auto const& item : file->second.items()) {
      std::string const& key = item.key();
      nlohmann::json const& value = item.value();
      bool const role =
          std::any_of(token_roles.begin(), token_roles.end(), [&](auto r) { return key == std::string(r) + "_token"; });
      if (key.ends_with("_token") && !role && (value.is_string() || value.is_object())) add(&value);
    }
  }
  std::vector<File> objects = special_lists().objects;
  nlohmann::json const* const own = entry("model_specific_special_tokens", &source);
  if (own != nullptr && own->is_object()) objects.emplace_back(source, *own);
  for (auto const& [path, named] : objects) {
    source = path;
    for (auto const& [name, token] : named.items()) add(&token);
  }
  return all;
}

inline std::vector<AddedToken> TokenizerSettings::listed_special_tokens() const {
  SpecialLists const lists = special_lists();
  std::optional<File> const& list = lists.extra ? lists.extra : lists.additional;
  std::vector<AddedToken> all;
  if (!list || list->second.is_null()) return all;
  auto const& [source, tokens] = *list;
  if (!tokens.is_array())
    fail<FileError>("[", source, "] list of special tokens is not a list; got ", json_excerpt(tokens));
  for (auto const& token : tokens)
    if (!token.is_null() && !token.is_boolean()) all.push_back(special_token(source, token));
  return all;
}

/// The id of a token of parts that are not a tokenizer yet.
[[nodiscard]] inline std::optional<Token> find_token(TokenizerParts const& parts, std::string const& content) {
  for (AddedToken const& token : parts.added_tokens)
    if (token.content == content) return token.id;
  return parts.model->vocabulary().find(content);
}

/// Fills the roles of special tokens from a folder's settings.
inline void assign_special_tokens(TokenizerParts& parts, TokenizerSettings const& settings) {
  Vocabulary const& vocabulary = parts.model->vocabulary();
  Token size = vocabulary.size();
  for (AddedToken const& token : parts.added_tokens) size = std::max(size, token.id + 1);
  auto const find = [&](std::string const& name) { return find_token(parts, name); };
  SpecialTokens& special = parts.special_tokens;
  SpecialTokens const said = special;
  auto const fill = [&](std::optional<Token>& role, char const* name) {
    if (auto const id = settings.role(name, size, find)) role = id;
  };
  fill(special.unk, "unk"), fill(special.sep, "sep"), fill(special.cls, "cls"), fill(special.mask, "mask"),
      fill(special.pad, "pad");
  special.bos = settings.role("bos", size, find);
  special.eos = settings.role("eos", size, find);
  bool const spoken = special.bos || special.eos;
  if (!spoken) special.bos = said.bos, special.eos = said.eos;
  default_special_tokens(parts, !spoken);
}

}  // namespace graft::detail
