/// @file
/// @brief The special tokens that a model expects around one text or a pair of texts.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace graft {

/// A text with the special tokens around it.
struct EncodedText {
  std::vector<Token> ids;
  std::vector<Token> token_types;  ///< of each id: 0 or 1, BERT's segments
  std::size_t cut_tokens = 0;      ///< tokens of the texts that a maximum length cut off
};

/// `[CLS] a [SEP] b [SEP]` and the like.
class TextTemplate {
 public:
  /// A special token, or one of the texts.
  struct Part {
    enum class Kind : std::uint8_t { special, first, second } kind = Kind::special;
    Token id = 0;  ///< of a special token
    Token type = 0;

    [[nodiscard]] bool operator==(Part const&) const noexcept = default;
  };

  /// Nothing around the texts; the second is of type 1.
  TextTemplate() : TextTemplate({first(0)}, {first(0), second(1)}) {}
  /// What stands around one text, and around a pair.
  TextTemplate(std::vector<Part> single, std::vector<Part> pair) : single_(std::move(single)), pair_(std::move(pair)) {}

  [[nodiscard]] static constexpr Part special(Token id, Token type = 0) noexcept {
    return {Part::Kind::special, id, type};
  }
  [[nodiscard]] static constexpr Part first(Token type = 0) noexcept { return {Part::Kind::first, 0, type}; }
  [[nodiscard]] static constexpr Part second(Token type = 0) noexcept { return {Part::Kind::second, 0, type}; }

  /// The same with all types 0, for models that are given none.
  [[nodiscard]] TextTemplate without_types() const {
    TextTemplate plain = *this;
    for (auto* const parts : {&plain.single_, &plain.pair_})
      for (Part& part : *parts) part.type = 0;
    return plain;
  }
  /// BERT's: `cls a sep`, `cls a sep b sep`, the second text and its `sep` of type 1.
  [[nodiscard]] static TextTemplate bert(Token cls, Token sep) {
    std::vector<Part> const single{special(cls), first(), special(sep)};
    return {single, {special(cls), first(), special(sep), second(1), special(sep, 1)}};
  }
  /// RoBERTa's and BART's: `cls a sep`, `cls a sep sep b sep`, all of type 0.
  [[nodiscard]] static TextTemplate roberta(Token cls, Token sep) {
    std::vector<Part> const single{special(cls), first(), special(sep)};
    return {single, {special(cls), first(), special(sep), special(sep), second(), special(sep)}};
  }
  /// T5's: `a eos`, `a eos b eos`, all of type 0.
  [[nodiscard]] static TextTemplate trailing(Token eos) {
    std::vector<Part> const single{first(), special(eos)};
    return {single, {first(), special(eos), second(), special(eos)}};
  }
  /// LLaMA's: `bos` and `eos`, if given, around each text; the second of type 1.
  [[nodiscard]] static TextTemplate around(std::optional<Token> bos, std::optional<Token> eos) {
    std::vector<Part> single, pair;
    auto const add = [&](std::vector<Part>& parts, Part text) {
      if (bos) parts.push_back(special(*bos, text.type));
      parts.push_back(text);
      if (eos) parts.push_back(special(*eos, text.type));
    };
    add(single, first());
    add(pair, first()), add(pair, second(1));
    return {std::move(single), std::move(pair)};
  }

  [[nodiscard]] bool operator==(TextTemplate const&) const noexcept = default;

  [[nodiscard]] std::vector<Part> const& single() const noexcept { return single_; }
  [[nodiscard]] std::vector<Part> const& pair() const noexcept { return pair_; }

  /// How many tokens stand around one text, or around a pair.
  [[nodiscard]] std::size_t special_count(bool of_pair) const noexcept {
    auto const& parts = of_pair ? pair_ : single_;
    return static_cast<std::size_t>(
        std::count_if(parts.begin(), parts.end(), [](Part const& part) { return part.kind == Part::Kind::special; }));
  }

  /// Puts the special tokens around the tokens of one text, or of a pair.
  /// @param max_length of the whole; 0 for none. The longer text loses its end first, as in Hugging Face's tokenizers.
  /// @throws ConfigError for a maximum length that the special tokens exceed
  [[nodiscard]] EncodedText apply(std::span<Token const> a, std::optional<std::span<Token const>> b,
                                  std::size_t max_length = 0) const {
    std::span<Token const> other = b.value_or(std::span<Token const>{});
    std::size_t const before = a.size() + other.size();
    if (max_length > 0) {
      std::size_t const around = special_count(b.has_value());
      if (max_length < around) {
        fail<ConfigError>("[encode_with_template] maximum length is too small; got ", max_length,
                          "; expected at least the ", around, " special tokens");
      }
      auto const [keep_a, keep_b] = kept(a.size(), other.size(), max_length - around);
      a = a.first(keep_a), other = other.first(keep_b);
    }
    EncodedText out;
    out.cut_tokens = before - a.size() - other.size();
    for (Part const& part : b ? pair_ : single_) {
      std::span<Token const> const tokens = part.kind == Part::Kind::special ? std::span<Token const>(&part.id, 1)
                                            : part.kind == Part::Kind::first ? a
                                                                             : other;
      out.ids.insert(out.ids.end(), tokens.begin(), tokens.end());
      out.token_types.insert(out.token_types.end(), tokens.size(), part.type);
    }
    return out;
  }

 private:
  /// How much of two texts is kept: the shorter is whole unless both must be cut, to lengths that differ by at most
  /// one.
  [[nodiscard]] static std::pair<std::size_t, std::size_t> kept(std::size_t a, std::size_t b,
                                                                std::size_t most) noexcept {
    if (a + b <= most) return {a, b};
    std::size_t const shorter = std::min({a, b, most / 2}), longer = most - shorter;
    return a > b ? std::pair{longer, shorter} : std::pair{shorter, longer};
  }

  std::vector<Part> single_, pair_;
};

}  // namespace graft
