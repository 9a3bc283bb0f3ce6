/// @file
/// @brief Tokenizers from the files of a Hugging Face folder.
#pragma once

#include <graft/core/error.hpp>
#include <graft/io/json.hpp>
#include <graft/io/mapped_file.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace graft {

namespace detail {

/// A small JSON file of a folder; an empty object where there is none.
[[nodiscard]] inline nlohmann::json read_settings(std::filesystem::path const& path) {
  if (!std::filesystem::exists(path)) return nlohmann::json::object();
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
  explicit TokenizerSettings(std::filesystem::path const& folder) {
    for (char const* const name : {"tokenizer_config.json", "special_tokens_map.json"}) {
      names_.emplace_back((folder / name).string(), read_settings(folder / name));
    }
    config_ = {(folder / "config.json").string(), read_settings(folder / "config.json")};
  }

  [[nodiscard]] std::pair<std::string, nlohmann::json> const& tokenizer_config() const noexcept { return names_.front(); }

  /// The names that tokenizer_config.json and special_tokens_map.json give to special tokens, those of `additional_special_tokens` too.
  [[nodiscard]] std::vector<std::string> special_names() const {
    std::vector<std::string> all;
    for (auto const& [source, settings] : names_) {
      for (char const* const role : {"bos", "eos", "pad", "unk", "sep", "cls", "mask"})
        if (auto name = named_token(source, settings, std::string(role) + "_token")) all.push_back(std::move(*name));
      auto const more = settings.find("additional_special_tokens");
      if (more == settings.end() || more->is_null()) continue;
      if (!more->is_array()) fail<FileError>("[", source, "] additional_special_tokens is not a list; got ", json_excerpt(*more));
      for (auto const& token : *more)
        all.push_back(token.is_object() ? json_at<std::string>(source, token, "content") : text_of(source, token));
    }
    return all;
  }

  /// The id of a role ("bos", …): by name, else config.json's `bos_token_id`. What is not in the vocabulary is no token: many
  /// configurations keep ids of another vocabulary, or -1.
  template <class Find>
  [[nodiscard]] std::optional<Token> role(std::string const& name, Token vocabulary_size, Find const& find) const {
    for (auto const& [source, settings] : names_)
      if (auto const token = named_token(source, settings, name + "_token")) return find(*token);
    auto const& [source, settings] = config_;
    auto const found = settings.find(name + "_token_id");
    if (found == settings.end() || found->is_null()) return std::nullopt;
    bool const several = found->is_array() && !found->empty();  // Llama 3 lists several end tokens
    auto const id = several ? json_at<std::vector<std::int64_t>>(source, settings, name + "_token_id").front()
                            : json_at<std::int64_t>(source, settings, name + "_token_id");
    return id >= 0 && id < vocabulary_size ? std::optional<Token>(static_cast<Token>(id)) : std::nullopt;
  }

 private:
  [[nodiscard]] static std::string text_of(std::string const& source, nlohmann::json const& token) {
    if (!token.is_string()) fail<FileError>("[", source, "] special token is not a string; got ", json_excerpt(token));
    return token.get<std::string>();
  }

  std::vector<std::pair<std::string, nlohmann::json>> names_;
  std::pair<std::string, nlohmann::json> config_;
};

/// Fills the roles of special tokens from a folder's settings.
inline void assign_special_tokens(TokenizerParts& parts, TokenizerSettings const& settings) {
  Vocabulary const& vocabulary = parts.model->vocabulary();
  Token size = vocabulary.size();
  for (AddedToken const& token : parts.added_tokens) size = std::max(size, token.id + 1);
  auto const find = [&](std::string const& name) -> std::optional<Token> {
    for (AddedToken const& token : parts.added_tokens)
      if (token.content == name) return token.id;
    return vocabulary.find(name);
  };
  SpecialTokens& special = parts.special_tokens;
  special.bos = settings.role("bos", size, find);
  special.eos = settings.role("eos", size, find);
  special.pad = settings.role("pad", size, find);
  if (auto const unk = settings.role("unk", size, find)) special.unk = unk;
  if (!special.bos && !special.eos) default_special_tokens(parts);
}

/// The lines of merges.txt, but for its heading.
[[nodiscard]] inline MergeList read_merges(std::string_view text, std::string const& source) {
  MergeList merges;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) merges.add_line(line, source);
  }
  return merges;
}

/// Adds the added tokens of a folder without tokenizer.json: tokenizer_config.json's `added_tokens_decoder`, else added_tokens.json;
/// then the special tokens that are named elsewhere and in the vocabulary.
inline void add_folder_tokens(TokenizerParts& parts, std::filesystem::path const& folder, TokenizerSettings const& settings) {
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
    std::string const path = (folder / "added_tokens.json").string();
    nlohmann::json const ids = read_settings(path);
    for (auto const& [content, id] : ids.items())
      added.push_back(read_added_token(path, {{"content", content}}, json_at<std::int64_t>(path, ids, content)));
  }
  auto names = settings.special_names();
  if (names.empty() && added.empty()) names.emplace_back("<|endoftext|>");  // GPT-2's own files name no special token
  for (std::string const& name : names) {
    auto const known = std::find_if(added.begin(), added.end(), [&](AddedToken const& token) { return token.content == name; });
    if (known != added.end()) {
      known->special = true;
    } else if (auto const id = parts.model->vocabulary().find(name)) {
      added.push_back({name, *id, true});
    }
  }
}

/// vocab.json and merges.txt: GPT-2's splitting, or Qwen 2's if tokenizer_config.json says so.
[[nodiscard]] inline TokenizerParts read_vocabulary_and_merges(std::filesystem::path const& folder, TokenizerSettings const& settings) {
  auto const vocabulary = MappedFile::open(folder / "vocab.json"), merges = MappedFile::open(folder / "merges.txt");
  ByteLevelBpeFields fields;
  fields.vocabulary = parse_tokenizer_json(vocabulary->text(), vocabulary->path(), TokenizerFile::vocab_json).vocabulary;
  fields.merges = read_merges(merges->text(), merges->path());
  fields.source = merges->path();
  TokenizerParts parts;
  parts.source = folder.string();
  parts.model = std::make_shared<ByteLevelBpe const>(std::move(fields));

  auto const& [source, config] = settings.tokenizer_config();
  std::string name = json_or<std::string>(source, config, "tokenizer_class", "GPT2Tokenizer");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  bool const qwen2 = name == "Qwen2Tokenizer";
  if (!qwen2 && name != "GPT2Tokenizer" && name != "RobertaTokenizer" && name != "BartTokenizer" && name != "PreTrainedTokenizer") {
    unsupported(source, "tokenizer_class with vocab.json and merges.txt", name,
                "GPT2Tokenizer, RobertaTokenizer, BartTokenizer or Qwen2Tokenizer; hint: a tokenizer.json says more");
  }
  std::vector<PreTokenizerStep> steps;
  if (json_or<bool>(source, config, "add_prefix_space", false)) steps.push_back(PreTokenizerStep::prefix_space);
  steps.push_back(qwen2 ? PreTokenizerStep::split_qwen2 : PreTokenizerStep::split_gpt2);
  parts.pre_tokenizer = PreTokenizer(std::move(steps));
  parts.normalizer = qwen2 ? Normalizer::nfc : Normalizer::none;
  add_folder_tokens(parts, folder, settings);
  return parts;
}

}  // namespace detail

/// A tokenizer from a tokenizer.json, or from a Hugging Face folder: its tokenizer.json if there is one, else vocab.json and merges.txt. A
/// folder's tokenizer_config.json, special_tokens_map.json and config.json say, in this order, which tokens begin, end and fill a text.
/// @throws FileError for missing or malformed files, ConfigError for tokenizers that are not byte-level BPE
[[nodiscard]] inline Tokenizer load_tokenizer_files(std::filesystem::path const& path) {
  if (!std::filesystem::is_directory(path)) {
    auto const file = MappedFile::open(path);
    return parse_tokenizer(file->text(), file->path());
  }
  detail::TokenizerSettings const settings(path);
  TokenizerParts parts;
  if (std::filesystem::exists(path / "tokenizer.json")) {
    auto const file = MappedFile::open(path / "tokenizer.json");
    parts = detail::read_tokenizer_parts(file->text(), file->path());
  } else if (std::filesystem::exists(path / "vocab.json") && std::filesystem::exists(path / "merges.txt")) {
    parts = detail::read_vocabulary_and_merges(path, settings);
  } else {
    fail<FileError>("[", path.string(), "] holds no tokenizer; expected tokenizer.json, or vocab.json and merges.txt");
  }
  detail::assign_special_tokens(parts, settings);
  return Tokenizer(std::move(parts));
}

}  // namespace graft
