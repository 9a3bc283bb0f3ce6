/// @file
/// @brief What the settings of a Hugging Face folder say about its tokenizer.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft::detail {

/// A small JSON file of a folder; an empty object where there is none.
[[nodiscard]] inline nlohmann::json read_settings(std::filesystem::path const& path) {
  if (std::error_code unreadable; !std::filesystem::exists(path, unreadable)) return nlohmann::json::object();
  JsonLimits limits;
  limits.values = std::size_t{1} << 18;
  nlohmann::json settings = read_json(path, limits);
  if (!settings.is_object()) fail<FileError>("[", path.string(), "] is not a JSON object; got ", json_excerpt(settings), "; expected {…}");
  return settings;
}

/// A token by name: `"<|im_end|>"` or `{"content": "<|im_end|>", …}`; nothing where it is absent or null.
[[nodiscard]] inline std::optional<std::string> named_token(std::string const& source, nlohmann::json const& settings,
                                                            std::string const& key) {
  auto const found = settings.find(key);
  if (found == settings.end() || found->is_null()) return std::nullopt;
  if (found->is_object()) return json_at<std::string>(source, *found, "content");
  return json_at<std::string>(source, settings, key);
}

/// A folder's settings that concern its tokenizer, the first to speak having the last word.
class TokenizerSettings {
 public:
  /// Of no folder: nothing is said.
  TokenizerSettings() : names_{2, {"", nlohmann::json::object()}}, config_(names_.front()), added_(names_.front()) {}

  explicit TokenizerSettings(std::filesystem::path const& folder) {
    for (char const* const name : {"tokenizer_config.json", "special_tokens_map.json"}) {
      names_.emplace_back((folder / name).string(), read_settings(folder / name));
    }
    config_ = {(folder / "config.json").string(), read_settings(folder / "config.json")};
    added_ = {(folder / "added_tokens.json").string(), read_settings(folder / "added_tokens.json")};
  }

  [[nodiscard]] std::pair<std::string, nlohmann::json> const& tokenizer_config() const noexcept { return names_.front(); }
  /// added_tokens.json: contents and their ids.
  [[nodiscard]] std::pair<std::string, nlohmann::json> const& added_tokens() const noexcept { return added_; }

  /// Whether any file that concerns the tokenizer says anything.
  [[nodiscard]] bool any() const noexcept {
    return !added_.second.empty() || std::any_of(names_.begin(), names_.end(), [](auto const& file) { return !file.second.empty(); });
  }

  /// The class of Hugging Face's transformers that tokenizer_config.json names, without "Fast"; empty if it names none.
  [[nodiscard]] std::string tokenizer_class() const {
    auto const& [source, config] = tokenizer_config();
    auto name = json_or<std::string>(source, config, "tokenizer_class", "");
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    return name;
  }

  /// The usual class for config.json's model type; empty if it is none of those here.
  [[nodiscard]] std::string usual_class() const {
    auto const type = json_or<std::string>(config_.first, config_.second, "model_type", "");
    constexpr std::array<std::pair<std::string_view, std::string_view>, 7> classes{{{"t5", "T5Tokenizer"},
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

  /// The special tokens that tokenizer_config.json and special_tokens_map.json name, those of `additional_special_tokens` too, without ids.
  [[nodiscard]] std::vector<AddedToken> special_tokens() const {
    std::vector<AddedToken> all;
    for (auto const& [source, settings] : names_) {
      for (char const* const role : {"bos", "eos", "pad", "unk", "sep", "cls", "mask"}) {
        auto const found = settings.find(std::string(role) + "_token");
        if (found != settings.end() && !found->is_null()) all.push_back(special_token(source, *found));
      }
      auto const more = settings.find("additional_special_tokens");
      if (more == settings.end() || more->is_null()) continue;
      if (!more->is_array()) fail<FileError>("[", source, "] additional_special_tokens is not a list; got ", json_excerpt(*more));
      for (auto const& token : *more) all.push_back(special_token(source, token));
    }
    return all;
  }

  /// The name of a role's token ("bos", …).
  [[nodiscard]] std::optional<std::string> name_of(std::string const& role) const {
    for (auto const& [source, settings] : names_)
      if (auto token = named_token(source, settings, role + "_token")) return token;
    return std::nullopt;
  }

  /// The id of a role ("bos", …): by name, else config.json's `bos_token_id`. What is not in the vocabulary is no token: many
  /// configurations keep ids of another vocabulary, or -1.
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
  [[nodiscard]] static AddedToken special_token(std::string const& source, nlohmann::json const& token) {
    AddedToken special;
    if (token.is_object()) {
      special = read_added_token(source, token, 0);
      special.normalized = false;
    } else {
      if (!token.is_string()) fail<FileError>("[", source, "] special token is not a string; got ", json_excerpt(token));
      special.content = token.get<std::string>();
    }
    special.special = true;
    return special;
  }

  std::vector<std::pair<std::string, nlohmann::json>> names_;
  std::pair<std::string, nlohmann::json> config_, added_;
};

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
  fill(special.unk, "unk"), fill(special.sep, "sep"), fill(special.cls, "cls"), fill(special.mask, "mask"), fill(special.pad, "pad");
  special.bos = settings.role("bos", size, find);
  special.eos = settings.role("eos", size, find);
  bool const spoken = special.bos || special.eos;
  if (!spoken) special.bos = said.bos, special.eos = said.eos;
  default_special_tokens(parts, !spoken);
}

/// Adds the added tokens of a folder without tokenizer.json: tokenizer_config.json's `added_tokens_decoder`, else added_tokens.json;
/// then the special tokens that are named elsewhere, or the `usual` ones where none is named, as far as they are in the vocabulary.
inline void add_folder_tokens(TokenizerParts& parts, TokenizerSettings const& settings, std::vector<AddedToken> const& usual) {
  std::vector<AddedToken>& added = parts.added_tokens;
  auto const& [source, config] = settings.tokenizer_config();
  if (auto const decoder = config.find("added_tokens_decoder"); decoder != config.end() && decoder->is_object()) {
    for (auto const& [key, entry] : decoder->items()) {
      std::int64_t id = -1;
      auto const [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
      if (error != std::errc() || end != key.data() + key.size())
        fail<FileError>("[", source, "] added_tokens_decoder has a key that is no id; got ", printable(key));
      added.push_back(read_added_token(source, entry, id));
    }
  } else {
    auto const& [path, ids] = settings.added_tokens();
    for (auto const& [content, id] : ids.items())
      added.push_back(read_added_token(path, {{"content", content}}, json_at<std::int64_t>(path, ids, content)));
  }
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t i = 0; i < added.size(); ++i) known.emplace(added[i].content, i);
  auto named = settings.special_tokens();
  if (named.empty() && added.empty()) named = usual;
  for (AddedToken& token : named) {
    if (auto const found = known.find(token.content); found != known.end()) {
      added[found->second].special = true;
    } else if (auto const id = parts.model->vocabulary().find(token.content)) {
      token.id = *id;
      known.emplace(token.content, added.size());
      added.push_back(std::move(token));
    }
  }
}

/// Special tokens by name, to be looked for in a vocabulary.
[[nodiscard]] inline std::vector<AddedToken> special_tokens_named(std::initializer_list<char const*> names) {
  std::vector<AddedToken> tokens;
  for (char const* const name : names) tokens.push_back({name, 0, true});
  return tokens;
}

}  // namespace graft::detail
