/// @file
/// @brief How an encoder–decoder's sources and targets become tokens and back: by its tokenizer, or by the characters that its configuration lists.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <graft/io/json.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/models/config.hpp>
#include <graft/text/utf8.hpp>

namespace support {

using graft::Token;

class PairTokens {
 public:
  virtual ~PairTokens() = default;
  /// What the encoder reads, special tokens included.
  [[nodiscard]] virtual std::vector<Token> source(std::string_view text) const = 0;
  /// What the decoder is to write, its end token included.
  [[nodiscard]] virtual std::vector<Token> target(std::string_view text) const = 0;
  /// A text's tokens alone, as the encoder reads or the decoder writes them.
  [[nodiscard]] virtual std::vector<Token> words(std::string_view text, bool of_target) const = 0;
  [[nodiscard]] virtual std::string text(std::vector<Token> const& target) const = 0;
  [[nodiscard]] virtual Token end_token() const = 0;
};

/// Characters with their index in a configuration's `grapheme_chars` and `phoneme_chars` as token, as small models of pronunciation have them. The first four
/// indices are padding, beginning, end and unknown.
class CharacterTokens final : public PairTokens {
 public:
  CharacterTokens(std::string const& graphemes, std::string const& phonemes) {
    Token next = 0;
    for (auto const& c : characters(graphemes)) graphemes_.emplace(c, next++);
    for (auto const& c : characters(phonemes)) {
      phoneme_ids_.emplace(c, static_cast<Token>(phonemes_.size()));
      phonemes_.push_back(c);
    }
  }
  [[nodiscard]] std::vector<Token> source(std::string_view text) const override {
    auto tokens = words(text, false);
    tokens.insert(tokens.begin(), begin);
    tokens.push_back(end);
    return tokens;
  }
  [[nodiscard]] std::vector<Token> target(std::string_view text) const override {
    auto tokens = words(text, true);
    tokens.push_back(end);
    return tokens;
  }
  [[nodiscard]] std::vector<Token> words(std::string_view text, bool of_target) const override {
    std::vector<Token> tokens;
    for (auto const& c : characters(text)) tokens.push_back(id(of_target ? phoneme_ids_ : graphemes_, c));
    return tokens;
  }
  [[nodiscard]] std::string text(std::vector<Token> const& target) const override {
    std::string text;
    for (Token token : target)
      if (token > unknown && token < static_cast<Token>(phonemes_.size())) text += phonemes_[static_cast<std::size_t>(token)];
    return text;
  }
  [[nodiscard]] Token end_token() const override { return end; }

  [[nodiscard]] static std::vector<std::string> characters(std::string_view text) {
    std::vector<std::string> all;
    for (std::size_t at = 0; at < text.size();) {
      auto const bytes = graft::utf8_at(text, at).bytes;
      all.emplace_back(text.substr(at, bytes));
      at += bytes;
    }
    return all;
  }

 private:
  static constexpr Token begin = 1, end = 2, unknown = 3;
  [[nodiscard]] static Token id(std::map<std::string, Token> const& ids, std::string const& c) {
    auto const found = ids.find(c);
    return found == ids.end() || found->second <= unknown ? unknown : found->second;
  }

  std::map<std::string, Token> graphemes_, phoneme_ids_;
  std::vector<std::string> phonemes_;
};

/// A tokenizer's template around sources and targets (T5: a trailing end token; BART: its beginning token too).
class TextTokens final : public PairTokens {
 public:
  explicit TextTokens(graft::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {
    if (!tokenizer_.special_tokens().eos) graft::fail<graft::ConfigError>("[tokenizer] has no end token; expected one, to end what the decoder writes");
  }
  [[nodiscard]] std::vector<Token> source(std::string_view text) const override { return tokenizer_.encode_with_template(text).ids; }
  [[nodiscard]] std::vector<Token> target(std::string_view text) const override { return tokenizer_.encode_with_template(text).ids; }
  [[nodiscard]] std::vector<Token> words(std::string_view text, bool) const override { return tokenizer_.encode(text); }
  [[nodiscard]] std::string text(std::vector<Token> const& target) const override { return tokenizer_.decode(target, true); }
  [[nodiscard]] Token end_token() const override { return *tokenizer_.special_tokens().eos; }

 private:
  graft::Tokenizer tokenizer_;
};

/// The way of a model's folder: characters where its config.json lists them, else its tokenizer.
[[nodiscard]] inline std::unique_ptr<PairTokens> pair_tokens(std::filesystem::path const& model) {
  auto const path = model / "config.json";
  if (std::error_code unreadable; std::filesystem::exists(path, unreadable)) {
    auto const config = graft::read_json(path);
    if (config.contains("grapheme_chars"))
      return std::make_unique<CharacterTokens>(graft::json_at<std::string>(path.string(), config, "grapheme_chars"),
                                               graft::json_at<std::string>(path.string(), config, "phoneme_chars"));
  }
  return std::make_unique<TextTokens>(graft::load_tokenizer(model));
}

}  // namespace support
