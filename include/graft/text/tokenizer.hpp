/// @file
/// @brief Text to token ids and back.
#pragma once

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>
#include <graft/core/warning.hpp>
#include <graft/text/added_tokens.hpp>
#include <graft/text/decoder.hpp>
#include <graft/text/decoding_state.hpp>
#include <graft/text/model.hpp>
#include <graft/text/normalizer.hpp>
#include <graft/text/pre_tokenizer.hpp>
#include <graft/text/special_tokens.hpp>
#include <graft/text/text_place.hpp>
#include <graft/text/text_template.hpp>
#include <graft/text/utf8.hpp>
#include <graft/text/word_cache.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace graft {

/// What a tokenizer consists of, in the order in which text passes through it.
struct TokenizerParts {
  std::vector<AddedToken> added_tokens;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::shared_ptr<TokenizerModel const> model;
  Decoder decoder = decoding::ByteLevel{};
  TextTemplate text_template;  ///< special tokens that `encode_with_template` puts around texts
  SpecialTokens special_tokens;
  bool clean_up_spaces =
      false;  ///< decoded text loses spaces before punctuation: transformers' `clean_up_tokenization_spaces`
  std::string source = "tokenizer";  ///< name of the file, for errors
};

/// A tokenizer as Hugging Face's `tokenizers` defines it: added tokens are cut out of the text, the rest is normalized,
/// divided into words and encoded by the model. A value: copies share the same immutable data, and any number of
/// threads may use one at once.
class Tokenizer {
 public:
  /// @throws FileError for added tokens that contradict the vocabulary or one another, ConfigError without a model.
  explicit Tokenizer(TokenizerParts parts) : data_(std::make_shared<Data const>(std::move(parts))) {}

  /// The ids of `text`. Nothing is put before or after it: no beginning or end token. Ill-formed UTF-8 is read as
  /// U+FFFD.
  [[nodiscard]] std::vector<Token> encode(std::string_view text) const { return encode_part(text, true); }

  /// The ids of a part of a text. `encode_part(text, true)` is `encode`. `encode_part(text, false)` gives the ids of a
  /// text that continues one encoded before: where the tokenizer puts a space (`▁`) of its own before a text, it puts
  /// none here, so that the ids of `"x ->"` and those of `" the cat"`, which continues it, are together the ids of `"x
  /// -> the cat"`. The parts must meet where a word begins.
  [[nodiscard]] std::vector<Token> encode_part(std::string_view text, bool begins_text) const;

  /// Whether the tokenizer puts a space (`▁`) of its own before a text that begins, so that `encode` and
  /// `encode_part(text, false)` differ.
  [[nodiscard]] bool puts_space_before() const noexcept {
    return data_->parts.normalizer.puts_space_before() || data_->parts.pre_tokenizer.puts_space_before();
  }

  /// The ids of `text`, or of a pair of texts, with the special tokens around them that the tokenizer's files name:
  /// `[CLS] a [SEP] b [SEP]` for BERT, `a </s>` for T5.
  /// @param max_length of the whole, special tokens included; 0 for none. The longer text is cut first.
  /// @throws ConfigError for a maximum length that the special tokens exceed
  [[nodiscard]] EncodedText encode_with_template(std::string_view text,
                                                 std::optional<std::string_view> pair = std::nullopt,
                                                 std::size_t max_length = 0) const {
    std::vector<Token> const a = encode(text);
    if (!pair) return data_->parts.text_template.apply(a, std::nullopt, max_length);
    std::vector<Token> const b = encode(*pair);
    return data_->parts.text_template.apply(a, std::span<Token const>(b), max_length);
  }

  /// The text of `ids`, with bytes that do not make UTF-8 replaced by U+FFFD. Ids without a token are passed over, as
  /// Hugging Face does, with a warning.
  /// @param skip_special leave special tokens out
  /// @throws ConfigError for a negative id
  [[nodiscard]] std::string decode(std::span<Token const> ids, bool skip_special = false) const {
    std::string const bytes = decode_bytes(ids, skip_special);
    return replace_invalid_utf8(bytes);
  }

  /// The bytes of `ids`: with a byte-level vocabulary a character may begin in one token and end in another. Byte
  /// tokens that make no character are U+FFFD here too.
  [[nodiscard]] std::string decode_bytes(std::span<Token const> ids, bool skip_special = false) const;

  /// One more than the largest id, added tokens included: how many rows an embedding needs.
  [[nodiscard]] Token vocabulary_size() const noexcept { return data_->size; }

  /// The id of a token as the vocabulary spells it (`"Ġthe"`), or of an added token.
  [[nodiscard]] std::optional<Token> token_to_id(std::string_view token) const {
    if (auto const id = data_->parts.model->vocabulary().find(token)) return id;
    auto const found = data_->added_by_content.find(std::string(token));
    return found == data_->added_by_content.end() ? std::nullopt : std::optional<Token>(added(found->second).id);
  }

  /// The token of an id, as the vocabulary spells it.
  [[nodiscard]] std::optional<std::string> id_to_token(Token id) const {
    if (auto const token = data_->parts.model->vocabulary().token(id)) return std::string(*token);
    auto const found = data_->added_by_id.find(id);
    return found == data_->added_by_id.end() ? std::nullopt : std::optional<std::string>(added(found->second).content);
  }

  /// The token of an id as decoders see it: an added token that is looked for in normalized text is what it looks for
  /// there. Nothing for an id without a token, which is warned of, and for a special token if they are skipped.
  /// @throws ConfigError for a negative id
  [[nodiscard]] std::optional<std::string_view> shown_token(Token id, bool skip_special) const;

  [[nodiscard]] bool is_special(Token id) const noexcept {
    auto const found = data_->added_by_id.find(id);
    return found != data_->added_by_id.end() && added(found->second).special;
  }

  [[nodiscard]] SpecialTokens const& special_tokens() const noexcept { return data_->parts.special_tokens; }
  [[nodiscard]] std::vector<AddedToken> const& added_tokens() const noexcept { return data_->parts.added_tokens; }
  [[nodiscard]] TextTemplate const& text_template() const noexcept { return data_->parts.text_template; }
  /// It lives as long as this tokenizer or any copy of it.
  [[nodiscard]] Decoder const& decoder() const noexcept { return data_->parts.decoder; }
  /// Decoding from the first token on; it refers to data that lives as long as this tokenizer or any copy of it.
  [[nodiscard]] DecodingState begin_decoding() const {
    return DecodingState(data_->parts.decoder, data_->parts.clean_up_spaces);
  }

  /// The same tokenizer with other roles for its special tokens.
  [[nodiscard]] Tokenizer with_special_tokens(SpecialTokens special) const {
    TokenizerParts parts = data_->parts;
    parts.special_tokens = special;
    return Tokenizer(std::move(parts));
  }

 private:
  struct Data {
    explicit Data(TokenizerParts given);

    TokenizerParts parts;
    std::unordered_map<std::string, std::size_t> added_by_content;  ///< index in parts.added_tokens
    std::unordered_map<Token, std::size_t> added_by_id;             ///< likewise
    std::unordered_map<Token, std::string> normalized;  ///< what added tokens look for, where it is not their content
    std::unordered_set<std::string> special_contents;
    AddedTokenMatcher in_text, in_normalized;
    Token size = 0;
    mutable WordCachePool caches;
  };

  [[nodiscard]] AddedToken const& added(std::size_t index) const noexcept { return data_->parts.added_tokens[index]; }

  void encode_piece(std::string_view piece, TextPlace place, WordCache& cache, std::vector<Token>& out) const;

  std::shared_ptr<Data const> data_;
};

inline Tokenizer::Data::Data(TokenizerParts given) : parts(std::move(given)) {
  if (parts.model == nullptr) fail<ConfigError>("[", parts.source, "] tokenizer has no model; expected one");
  Vocabulary const& vocabulary = parts.model->vocabulary();
  size = vocabulary.size();
  std::vector<std::pair<std::string, std::size_t>> as_given, as_normalized;
  for (std::size_t i = 0; i < parts.added_tokens.size(); ++i) {
    AddedToken const& token = parts.added_tokens[i];
    auto const refuse = [&](auto const&... why) {
      fail<FileError>("[", parts.source, "] added token ", printable(token.content), " ", why...);
    };
    if (token.content.empty()) refuse("is empty; got id ", token.id, "; expected a text to look for");
    if (token.id < 0 || token.id >= Vocabulary::id_limit)
      refuse("has an id out of range; got ", token.id, "; expected 0 to ", Vocabulary::id_limit - 1);
    if (!added_by_content.emplace(token.content, i).second) refuse("is listed twice; expected once");
    if (!added_by_id.emplace(token.id, i).second) refuse("has the id of another added token; got ", token.id);
    auto const id = vocabulary.find(token.content);
    if (id && *id != token.id) refuse("contradicts the vocabulary; got id ", token.id, "; expected ", *id);
    if (!id && vocabulary.token(token.id))
      refuse("has the id of ", printable(*vocabulary.token(token.id)), "; got ", token.id, "; expected a free id");
    size = std::max(size, token.id + 1);
    if (token.special) special_contents.insert(token.content);
    std::string normal = token.normalized ? parts.normalizer(token.content) : std::string();
    if (token.normalized && normal != token.content) normalized.emplace(token.id, normal);
    if (!token.in_text) continue;
    if (token.normalized) {
      as_normalized.emplace_back(std::move(normal), i);
    } else {
      as_given.emplace_back(token.content, i);
    }
  }
  in_text = AddedTokenMatcher(std::move(as_given));
  in_normalized = AddedTokenMatcher(std::move(as_normalized));
  auto const check = [&](char const* role, std::optional<Token> id) {
    if (id && (*id < 0 || *id >= size))
      fail<FileError>("[", parts.source, "] ", role, " token is out of range; got id ", *id, "; expected 0 to ",
                      size - 1);
  };
  SpecialTokens const& special = parts.special_tokens;
  check("bos", special.bos), check("eos", special.eos), check("pad", special.pad), check("unk", special.unk);
  check("sep", special.sep), check("cls", special.cls), check("mask", special.mask);
  for (auto const* const list : {&parts.text_template.single(), &parts.text_template.pair()})
    for (TextTemplate::Part const& part : *list)
      if (part.kind == TextTemplate::Part::Kind::special) check("template's", part.id);
}

inline std::vector<Token> Tokenizer::encode_part(std::string_view text, bool begins_text) const {
  std::vector<Token> out;
  std::string repaired;
  if (valid_utf8_prefix(text) != text.size()) text = repaired = replace_invalid_utf8(text);
  out.reserve(text.size() / 3 + 1);
  WordCachePool::Lease cache(data_->caches);
  TokenizerParts const& parts = data_->parts;
  auto const append_added = [&](std::size_t index) { out.push_back(added(index).id); };
  auto const divide = [&](std::string_view normalized, TextPlace place) {
    split_at_added_tokens(
        normalized, data_->in_normalized, parts.added_tokens,
        [&](std::string_view piece) {
          encode_piece(piece, piece.data() == normalized.data() ? place : TextPlace::inside, *cache, out);
        },
        append_added);
  };
  TextPlace const first = begins_text ? TextPlace::begins : TextPlace::continues;
  auto const normalize_and_divide = [&](std::string_view piece) {
    TextPlace const place = piece.data() == text.data() ? first : TextPlace::inside;
    return parts.normalizer.empty()
               ? divide(piece, place)
               : divide(parts.normalizer(piece, place), parts.normalizer.place_after(piece, place));
  };
  split_at_added_tokens(text, data_->in_text, parts.added_tokens, normalize_and_divide, append_added);
  return out;
}

inline void Tokenizer::encode_piece(std::string_view piece, TextPlace place, WordCache& cache,
                                    std::vector<Token>& out) const {
  TokenizerModel const& model = *data_->parts.model;
  auto const encode_word = [&](std::string_view word) {
    if (!WordCache::fits(word)) return model.encode_word(word, out);
    std::uint64_t const hash = detail::hash_bytes(word);
    if (cache.append(word, hash, out)) return;
    std::size_t const before = out.size();
    model.encode_word(word, out);
    cache.remember(word, hash, std::span<Token const>(out).subspan(before));
  };
  data_->parts.pre_tokenizer.for_each_word(piece, encode_word, place);
}

inline std::optional<std::string_view> Tokenizer::shown_token(Token id, bool skip_special) const {
  if (id < 0) fail<ConfigError>("[", data_->parts.source, "] id cannot be decoded; got ", id, "; expected 0 or more");
  std::optional<std::string_view> token = data_->parts.model->vocabulary().token(id);
  if (auto const found = data_->normalized.find(id); found != data_->normalized.end()) {
    token = found->second;
  } else if (!token) {
    auto const index = data_->added_by_id.find(id);
    if (index != data_->added_by_id.end()) token = added(index->second).content;
  }
  if (!token) {
    warn("[", data_->parts.source,
         "] ids without a token are left out of decoded text; expected ids that the tokenizer has, below ",
         vocabulary_size(), "; hint: a model may have more rows than its tokenizer has tokens");
    return std::nullopt;
  }
  if (skip_special && data_->special_contents.contains(std::string(*token))) return std::nullopt;
  return token;
}

inline std::string Tokenizer::decode_bytes(std::span<Token const> ids, bool skip_special) const {
  std::string bytes;
  bytes.reserve(ids.size() * 4);
  DecodingState state = begin_decoding();
  for (Token const id : ids)
    if (auto const token = shown_token(id, skip_special)) state.push(*token, bytes);
  state.finish(bytes);
  return bytes;
}

}  // namespace graft
