/// @file
/// @brief BERT's cleaning of text, and the steps of it that other tokenizers use.
#pragma once

#include <graft/text/normal_form.hpp>
#include <graft/text/old_unicode.hpp>
#include <graft/text/unicode_class.hpp>
#include <graft/text/utf8.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace graft {

namespace detail {

/// Calls `each(code)` for the characters of a well-formed text.
template <class Each>
void for_each_character(std::string_view text, Each&& each) {
  for (std::size_t at = 0; at < text.size();) {
    Utf8Char const c = utf8_at(text, at);
    each(c.code);
    at += c.bytes;
  }
}

/// The small letter of a capital of Unicode 16 or 17 that an older ICU does not know; any other character itself.
[[nodiscard]] inline char32_t young_lowercase(char32_t code) noexcept {
  if (code == 0x1C89 || code == 0xA7CC || code == 0xA7CE || code == 0xA7D2 || code == 0xA7D4 || code == 0xA7DA)
    return code + 1;
  if (code == 0xA7CB) return 0x264;
  if (code == 0xA7DC) return 0x19B;
  if (code >= 0x10D50 && code <= 0x10D65) return code + 0x20;
  return code >= 0x16EA0 && code <= 0x16EB8 ? code + 0x1B : code;
}

/// Appends a character in lower case, whatever stands around it: a capital sigma at a word's end is σ.
inline void append_lowercase(std::string& out, char32_t code) {
  if (code < 0x80) {
    out.push_back(static_cast<char>(code >= 'A' && code <= 'Z' ? code - 'A' + 'a' : code));
  } else if (code == 0x130) {
    out.append("i\u0307");  // the only one that becomes two
  } else {
    append_utf8(out, young_lowercase(static_cast<char32_t>(u_tolower(static_cast<UChar32>(code)))));
  }
}

}  // namespace detail

/// Every character in lower case by itself, as Hugging Face's `Lowercase` does.
[[nodiscard]] inline std::string lowercase_characters(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  detail::for_each_character(text, [&](char32_t code) { detail::append_lowercase(out, code); });
  return out;
}

/// A text without marks of any kind; composed characters keep theirs.
[[nodiscard]] inline std::string strip_marks(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  detail::for_each_character(text, [&](char32_t code) {
    if (!detail::is_mark(code)) append_utf8(out, code);
  });
  return out;
}

/// What BERT does to a text before it is divided (Devlin et al. 2019).
struct BertNormalizer {
  bool clean_text = true;             ///< drops control characters, and makes white space spaces
  bool handle_chinese_chars = true;   ///< spaces around Chinese characters
  std::optional<bool> strip_accents;  ///< not given: as `lowercase` says
  bool lowercase = true;

  [[nodiscard]] bool operator==(BertNormalizer const&) const noexcept = default;

  [[nodiscard]] std::string operator()(std::string_view text) const {
    std::string const cleaned = clean(text);
    bool const strip = strip_accents.value_or(lowercase) && !is_ascii(cleaned);
    if (!strip && !lowercase) return cleaned;
    std::string const decomposed = strip ? normalize(NormalForm::nfd, cleaned) : cleaned;
    std::string out;
    out.reserve(decomposed.size());
    detail::for_each_character(decomposed, [&](char32_t code) {
      if (strip && detail::is_bert_accent(code)) return;
      lowercase ? detail::append_lowercase(out, code) : append_utf8(out, code);
    });
    return out;
  }

 private:
  [[nodiscard]] std::string clean(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    detail::for_each_character(text, [&](char32_t code) {
      if (clean_text && detail::is_bert_control(code)) return;
      if (clean_text && char_class(code) == CharClass::space) code = ' ';
      bool const apart = handle_chinese_chars && detail::is_bert_ideograph(code);
      if (apart) out.push_back(' ');
      append_utf8(out, code);
      if (apart) out.push_back(' ');
    });
    return out;
  }
};

}  // namespace graft
