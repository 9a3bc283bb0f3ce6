/// @file
/// @brief How the two texts of an example become tokens and back: by a tokenizer and a template, or by the characters
/// that a configuration lists.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <graft/data/example.hpp>
#include <graft/data/template.hpp>
#include <graft/io/json.hpp>
#include <graft/io/load_tokenizer.hpp>
#include <graft/io/template_file.hpp>
#include <graft/text/utf8.hpp>

namespace support {

using graft::Token;

class PairTokens {
 public:
  virtual ~PairTokens() = default;
  /// What the model reads, special tokens included, cut to the longest source; what that cost is added to `cut`.
  [[nodiscard]] virtual std::vector<Token> source(std::string_view text, graft::Truncation& cut) const = 0;
  /// All examples, cut to the maximum lengths; what that cost is added to `cut`. Their targets end with the end token.
  [[nodiscard]] virtual std::vector<graft::TokenizedExample> encode(std::vector<graft::Example> const& examples,
                                                                    graft::Truncation& cut) const = 0;
  /// A text's tokens alone, as the encoder reads or the decoder writes them.
  [[nodiscard]] virtual std::vector<Token> words(std::string_view text, bool of_target) const = 0;
  /// What was written, without the template's target prefix.
  [[nodiscard]] virtual std::string text(std::vector<Token> const& target) const = 0;
  /// What ends a target; none where nothing is trained and the tokenizer has none.
  [[nodiscard]] virtual std::optional<Token> end_token() const = 0;
  /// Tokens at the end of a source that cutting leaves.
  [[nodiscard]] virtual graft::Index kept_end() const = 0;
  /// Null where there is none.
  [[nodiscard]] virtual graft::Tokenizer const* tokenizer() const { return nullptr; }
};

/// Characters with their index in a configuration's `grapheme_chars` and `phoneme_chars` as token, as small models of
/// pronunciation have them. The first four indices are padding, beginning, end and unknown.
class CharacterTokens final : public PairTokens {
 public:
  CharacterTokens(std::string const& graphemes, std::string const& phonemes, graft::LengthLimits limits = {})
      : limits_(limits) {
    Token next = 0;
    for (auto const& c : characters(graphemes)) graphemes_.emplace(c, next++);
    for (auto const& c : characters(phonemes)) {
      phoneme_ids_.emplace(c, static_cast<Token>(phonemes_.size()));
      phonemes_.push_back(c);
    }
  }
  [[nodiscard]] std::vector<Token> source(std::string_view text, graft::Truncation& cut) const override {
    std::vector<graft::TokenizedExample> one{{around(text), {}, 0}};
    cut.add(graft::limit_lengths(one, {limits_.source, 0}, kept_end(), 1));
    return std::move(one.front().source);
  }
  [[nodiscard]] std::vector<graft::TokenizedExample> encode(std::vector<graft::Example> const& examples,
                                                            graft::Truncation& cut) const override {
    std::vector<graft::TokenizedExample> encoded;
    for (auto const& example : examples) {
      encoded.push_back({around(example.source), words(example.target, true), encoded.size()});
      encoded.back().target.push_back(end);
    }
    cut.add(graft::limit_lengths(encoded, limits_, kept_end(), 1));
    return encoded;
  }
  [[nodiscard]] std::vector<Token> words(std::string_view text, bool of_target) const override {
    std::vector<Token> tokens;
    for (auto const& c : characters(text)) tokens.push_back(id(of_target ? phoneme_ids_ : graphemes_, c));
    return tokens;
  }
  [[nodiscard]] std::string text(std::vector<Token> const& target) const override {
    std::string text;
    for (Token token : target)
      if (token > unknown && token < static_cast<Token>(phonemes_.size()))
        text += phonemes_[static_cast<std::size_t>(token)];
    return text;
  }
  [[nodiscard]] std::optional<Token> end_token() const override { return end; }
  [[nodiscard]] graft::Index kept_end() const override { return 1; }

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

  [[nodiscard]] std::vector<Token> around(std::string_view text) const {
    auto tokens = words(text, false);
    tokens.insert(tokens.begin(), begin);
    tokens.push_back(end);
    return tokens;
  }

  graft::LengthLimits limits_;
  std::map<std::string, Token> graphemes_, phoneme_ids_;
  std::vector<std::string> phonemes_;
};

/// A tokenizer and a template.
class TextTokens final : public PairTokens {
 public:
  TextTokens(graft::Tokenizer tokenizer, graft::Template const& form, graft::LengthLimits limits, bool sources_only)
      : tokenizer_(std::move(tokenizer)), encoder_(tokenizer_, form, limits, sources_only) {}
  TextTokens(TextTokens const&) = delete;
  TextTokens& operator=(TextTokens const&) = delete;

  [[nodiscard]] std::vector<Token> source(std::string_view text, graft::Truncation& cut) const override {
    return encoder_.source(text, cut);
  }
  [[nodiscard]] std::vector<graft::TokenizedExample> encode(std::vector<graft::Example> const& examples,
                                                            graft::Truncation& cut) const override {
    return encoder_.encode(examples, cut);
  }
  [[nodiscard]] std::vector<Token> words(std::string_view text, bool) const override { return tokenizer_.encode(text); }
  [[nodiscard]] std::string text(std::vector<Token> const& target) const override {
    std::string text = tokenizer_.decode(target, true);
    if (auto const& prefix = encoder_.form().target_prefix; text.starts_with(prefix)) text.erase(0, prefix.size());
    return text;
  }
  [[nodiscard]] std::optional<Token> end_token() const override {
    auto const& own = encoder_.form().end_token;
    return own ? own : tokenizer_.special_tokens().eos;
  }
  [[nodiscard]] graft::Index kept_end() const override { return encoder_.kept_end(); }
  [[nodiscard]] graft::Tokenizer const* tokenizer() const override { return &tokenizer_; }

 private:
  graft::Tokenizer tokenizer_;
  graft::TemplateEncoder<graft::Tokenizer> encoder_;
};

/// The way of a model that reads and writes texts, as the template says.
/// @param max_target longest target in tokens; 0 for no limit
/// @param sources_only whether no target is ever encoded: then the tokenizer needs no end token
[[nodiscard]] inline std::unique_ptr<PairTokens> pair_tokens(std::filesystem::path const& model,
                                                             graft::AdapterTemplate const& saved,
                                                             graft::Index max_target = 0, bool sources_only = false) {
  if (saved.kind != graft::TextKind::characters)
    return std::make_unique<TextTokens>(graft::load_tokenizer(model), saved.form,
                                        graft::LengthLimits{saved.max_source, max_target}, sources_only);
  auto const path = model / "config.json";
  auto const config = graft::read_json(path);
  return std::make_unique<CharacterTokens>(graft::json_at<std::string>(path.string(), config, "grapheme_chars"),
                                           graft::json_at<std::string>(path.string(), config, "phoneme_chars"),
                                           graft::LengthLimits{saved.max_source, max_target});
}

}  // namespace support
