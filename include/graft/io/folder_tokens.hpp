/// @file
/// @brief Added and special tokens that the files of a folder name beside its vocabulary.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/json.hpp>
#include <graft/io/tokenizer_json.hpp>
#include <graft/io/tokenizer_settings.hpp>
#include <graft/text/printable.hpp>
#include <graft/text/tokenizer.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft::detail {

/// The added tokens of parts that are not a tokenizer yet, and the id that a further one gets, as Hugging Face's
/// tokenizers number them.
class TokenAdder {
 public:
  explicit TokenAdder(TokenizerParts& parts) : parts_(parts), next_(parts.model->vocabulary().size()) {
    for (std::size_t i = 0; i < parts.added_tokens.size(); ++i) note(i);
  }

  [[nodiscard]] AddedToken const* find(std::string const& content) const {
    auto const found = by_content_.find(content);
    return found == by_content_.end() ? nullptr : &parts_.added_tokens[found->second];
  }

  /// Makes an added token special.
  void promote(std::string const& content) {
    if (auto const found = by_content_.find(content); found != by_content_.end())
      parts_.added_tokens[found->second].special = true;
  }

  /// Adds a token with the id that it has already, in the vocabulary or among the added tokens, or else with the next
  /// one. Its flags replace those that it had.
  Token add(AddedToken token) {
    if (auto const found = by_content_.find(token.content); found != by_content_.end()) {
      AddedToken& known = parts_.added_tokens[found->second];
      token.id = known.id;
      known = std::move(token);
      return known.id;
    }
    token.id = parts_.model->vocabulary().find(token.content).value_or(next_);
    parts_.added_tokens.push_back(std::move(token));
    note(parts_.added_tokens.size() - 1);
    return parts_.added_tokens.back().id;
  }

 private:
  void note(std::size_t index) {
    AddedToken const& token = parts_.added_tokens[index];
    by_content_.emplace(token.content, index);
    next_ = std::max(next_, token.id + 1);
  }

  TokenizerParts& parts_;
  std::unordered_map<std::string, std::size_t> by_content_;
  Token next_;
};

/// The tokens that tokenizer_config.json's `added_tokens_decoder`, or else added_tokens.json, lists, by id.
[[nodiscard]] inline std::vector<AddedToken> listed_tokens(TokenizerSettings const& settings,
                                                           std::set<std::string> const& special) {
  std::vector<AddedToken> listed;
  if (settings.lists_added_tokens()) {
    auto const& [source, config] = settings.tokenizer_config();
    for (auto const& [key, entry] : config["added_tokens_decoder"].items()) {
      std::int64_t id = -1;
      auto const [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
      if (error != std::errc() || end != key.data() + key.size())
        fail<FileError>("[", source, "] added_tokens_decoder has a key that is no id; got ", printable(key));
      listed.push_back(read_added_token(source, entry, id));
    }
  } else {
    auto const& [path, ids] = settings.added_tokens();
    for (auto const& [content, id] : ids.items()) {
      AddedToken token = read_added_token(path, {{"content", content}}, json_at<std::int64_t>(path, ids, content));
      token.special = special.contains(content);
      token.normalized = !token.special;
      listed.push_back(std::move(token));
    }
  }
  std::stable_sort(listed.begin(), listed.end(), [](AddedToken const& a, AddedToken const& b) { return a.id < b.id; });
  return listed;
}

/// What a class of transformers has to do with added tokens.
struct ClassTokens {
  UsualTokens usual = {};             ///< special tokens that it has where no file names one
  std::vector<AddedToken> more = {};  ///< its own beside the list of special tokens
  bool built = true;   ///< it builds its tokenizer from tables alone, so that tokenizer.json's added tokens are no more
                       ///< than listed
  bool plain = false;  ///< it adds all its special tokens again, without flags
};

/// Says which added tokens of tokenizer.json a class of transformers would not have beside `added_tokens_decoder`,
/// which is read in their place.
inline void check_tokens_of_file(TokenizerParts const& parts, TokenizerSettings const& settings,
                                 std::set<std::string> const& said, std::set<std::string> const& special) {
  for (AddedToken const& token : parts.added_tokens) {
    if (said.contains(token.content)) continue;
    if (special.contains(token.content) && parts.model->vocabulary().find(token.content) == token.id) continue;
    warn("[", settings.tokenizer_config().first, "] added_tokens_decoder lacks ", printable(token.content),
         ", an added token of tokenizer.json; it keeps its id ", token.id,
         "; this tokenizer_class of transformers reads the list alone");
  }
}

/// Adds the tokens that the files beside a vocabulary name, as transformers does: those that are listed with ids, then
/// the special tokens that are named elsewhere or that a class has by itself.
///
/// A token with a name (`eos_token`) is special whatever the list of added tokens says of it; one that is only in the
/// list of special tokens is what the list of added tokens says.
inline void add_folder_tokens(TokenizerParts& parts, TokenizerSettings const& settings, ClassTokens const& of_class) {
  std::vector<AddedToken> const named = settings.named_tokens(of_class.usual);
  std::vector<AddedToken> in_list = settings.listed_special_tokens();
  std::set<std::string> special_names, special, listed;
  for (AddedToken const& token : named) special_names.insert(token.content);
  special = special_names;
  if (settings.special_lists().extra)  // for added_tokens.json, transformers does not look into a list of the old name
    for (AddedToken const& token : in_list) special.insert(token.content);
  in_list.insert(in_list.end(), of_class.more.begin(), of_class.more.end());
  TokenAdder tokens(parts);
  std::set<Token> own;  // ids of tokenizer.json's added tokens, which added_tokens.json does not change
  std::set<std::string> own_special;
  for (AddedToken const& token : parts.added_tokens) {
    own.insert(token.id);
    if (token.special && !of_class.built) own_special.insert(token.content);
  }
  std::string const& source =
      settings.lists_added_tokens() ? settings.tokenizer_config().first : settings.added_tokens().first;
  for (AddedToken& token : listed_tokens(settings, special)) {
    if (token.content.empty())
      fail<FileError>("[", source, "] added token with id ", token.id, " is empty; expected a text to look for");
    if (!settings.lists_added_tokens() && own.contains(token.id)) continue;
    token.special = token.special || special_names.contains(token.content) || own_special.contains(token.content);
    std::string const content = token.content;
    listed.insert(content);
    Token const expected = token.id, id = tokens.add(std::move(token));
    if (id != expected) {
      warn("[", source, "] added token ", printable(content), " is listed with id ", expected, "; got id ", id,
           ", as transformers numbers it: that of the vocabulary, or the next free one");
    }
  }
  if (of_class.built && settings.lists_added_tokens()) check_tokens_of_file(parts, settings, listed, special);
  for (auto const* const group : {&named, &std::as_const(in_list)})
    for (AddedToken const& token : *group)
      if (!token.content.empty() && (of_class.plain || tokens.find(token.content) == nullptr))
        tokens.add(of_class.plain ? AddedToken{token.content, 0, true} : token);
  if (of_class.built || !settings.lists_added_tokens())  // beside a list of its own, transformers leaves the tokens of
                                                         // tokenizer.json as they are
    for (std::string const& content : special_names) tokens.promote(content);
}

}  // namespace graft::detail
