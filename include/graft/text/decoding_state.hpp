/// @file
/// @brief Decoding one token after the other.
#pragma once

#include <graft/core/replace_all.hpp>
#include <graft/text/decoder.hpp>
#include <graft/text/space_cleanup.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace graft {

namespace detail {

/// The cleaning of Hugging Face's `WordPiece` decoder.
inline void clean_up_spaces(std::string& text) {
  constexpr std::pair<std::string_view, std::string_view> rules[] = {
      {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (auto const& [pattern, content] : rules) replace_all(text, pattern, content);
}

/// The text of a run of byte tokens.
[[nodiscard]] inline std::string text_of_bytes(std::string_view run, decoding::ByteRuns rule) {
  std::string out;
  bool const good = valid_utf8_prefix(run) == run.size();
  if (good) return std::string(run);
  for (std::size_t at = 0; at < run.size();) {
    Utf8Char const c = utf8_at(run, at);
    bool const keep = rule == decoding::ByteRuns::each && c.state == Utf8State::valid;
    std::size_t const bytes = keep ? c.bytes : 1;
    keep ? out.append(run.substr(at, bytes)) : out.append("\uFFFD");
    at += bytes;
  }
  return out;
}

}  // namespace detail

/// The text so far of tokens that come one by one. What `push` and `finish` append, put together, is the text of all.
class DecodingState {
 public:
  /// @param decoder is only referred to
  /// @param clean_up whether spaces before punctuation are taken out of the whole text, too
  explicit DecodingState(Decoder const& decoder, bool clean_up = false) : decoder_(&decoder) {
    if (clean_up) cleanup_.emplace();
  }

  /// Appends what `token` adds to the text: bytes, which need not be whole characters, or nothing where later tokens
  /// decide.
  void push(std::string_view token, std::string& out) {
    std::string added;
    std::string& to = cleanup_ ? added : out;
    std::visit([&](auto const& decoder) { add(decoder, token, to); }, *decoder_);
    first_ = false;
    if (cleanup_) out.append(cleanup_->push(added));
  }

  /// Appends what was held back.
  void finish(std::string& out) {
    std::string added;
    if (auto const* const pieces = std::get_if<decoding::Pieces>(decoder_)) end_run(*pieces, cleanup_ ? added : out);
    if (cleanup_) out.append(cleanup_->push(added)).append(cleanup_->finish());
  }

 private:
  static void add(decoding::ByteLevel const&, std::string_view token, std::string& out) {
    append_spelled_bytes(out, token);
  }

  void add(decoding::Spaces const&, std::string_view token, std::string& out) const {
    if (!first_) out.push_back(' ');
    out.append(token);
  }

  void add(decoding::WordPiece const& decoder, std::string_view token, std::string& out) const {
    std::string text;
    if (!first_) {
      token.starts_with(decoder.prefix) ? token.remove_prefix(decoder.prefix.size()) : text.push_back(' ');
    }
    text.append(token);
    if (decoder.cleanup) detail::clean_up_spaces(text);
    out.append(text);
  }

  void add(decoding::Pieces const& decoder, std::string_view token, std::string& out) {
    auto const byte = decoder.byte_runs == decoding::ByteRuns::as_text ? std::nullopt : byte_of_piece(token);
    if (byte) {
      run_.push_back(static_cast<char>(*byte));
      return;
    }
    end_run(decoder, out);
    if (decoder.surfaces != nullptr) {
      if (auto const surface = decoder.surfaces->find(std::string(token)); surface != decoder.surfaces->end()) {
        some_text_ = some_text_ || !surface->second.empty();
        out.append(surface->second);
        return;
      }
    }
    std::string text(token);
    for (auto const& [pattern, content] : decoder.replacements) detail::replace_all(text, pattern, content);
    show(decoder, std::move(text), true, out);
  }

  void end_run(decoding::Pieces const& decoder, std::string& out) {
    if (run_.empty()) return;
    bool const sentencepiece = decoder.byte_runs == decoding::ByteRuns::each;
    show(decoder, detail::text_of_bytes(run_, decoder.byte_runs), !sentencepiece, out);
    run_.clear();
  }

  /// Appends a token's text, `▁` being spaces where the decoder and `spaces` say so, without what the text loses at its
  /// beginning.
  void show(decoding::Pieces const& decoder, std::string text, bool spaces, std::string& out) {
    if (decoder.metaspaces && spaces) {
      using decoding::LeadingSpaces;
      if (decoder.leading == LeadingSpaces::drop_in_first && !some_token_) {
        detail::replace_all(text, metaspace, "");
      } else if ((decoder.leading == LeadingSpaces::drop_one || decoder.leading == LeadingSpaces::drop_one_each) &&
                 !some_text_ && text.starts_with(metaspace)) {
        text.erase(0, metaspace.size());
        some_text_ = decoder.leading == LeadingSpaces::drop_one;
      }
      detail::replace_all(text, metaspace, " ");
    }
    some_token_ = true;
    some_text_ = some_text_ || !text.empty();
    std::string_view shown = text;
    while (stripped_ < decoder.strip_most && shown.starts_with(decoder.strip)) {
      shown.remove_prefix(decoder.strip.size());
      ++stripped_;
    }
    if (!shown.empty()) stripped_ = decoder.strip_most;
    out.append(shown);
  }

  Decoder const* decoder_;
  std::optional<SpaceCleanup> cleanup_;
  std::string run_;  ///< bytes of byte tokens that came last
  bool first_ = true, some_token_ = false, some_text_ = false;
  std::size_t stripped_ = 0;
};

}  // namespace graft
