/// @file
/// @brief What happens to a text before it is divided: Unicode normalization forms.
#pragma once

#include <graft/core/error.hpp>
#include <graft/text/utf8.hpp>

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace graft {

/// A normalization form (Unicode Standard Annex 15), or none.
enum class Normalizer : std::uint8_t { none, nfc, nfd, nfkc, nfkd };

namespace detail {

[[nodiscard]] inline UNormalizer2 const* icu_normalizer(Normalizer form) {
  UErrorCode status = U_ZERO_ERROR;
  UNormalizer2 const* const found = form == Normalizer::nfc    ? unorm2_getNFCInstance(&status)
                                    : form == Normalizer::nfd  ? unorm2_getNFDInstance(&status)
                                    : form == Normalizer::nfkc ? unorm2_getNFKCInstance(&status)
                                                               : unorm2_getNFKDInstance(&status);
  if (U_FAILURE(status) != 0) fail("[normalize] ICU has no data for this form; got ", u_errorName(status));
  return found;
}

[[nodiscard]] inline std::u16string to_utf16(std::string_view text) {
  std::u16string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    Utf8Char const c = utf8_at(text, at);
    if (c.code < 0x10000) {
      out.push_back(static_cast<char16_t>(c.code));
    } else {
      out.push_back(static_cast<char16_t>(0xD7C0 + (c.code >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + (c.code & 0x3FF)));
    }
    at += c.bytes;
  }
  return out;
}

[[nodiscard]] inline std::string from_utf16(std::u16string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    char32_t code = text[at];
    if (code >= 0xD800 && code < 0xDC00 && at + 1 < text.size()) code = ((code - 0xD7C0) << 10) + (text[++at] - char32_t{0xDC00});
    append_utf8(out, code);
  }
  return out;
}

}  // namespace detail

/// `text` (well-formed UTF-8) in the given form.
[[nodiscard]] inline std::string normalize(Normalizer form, std::string_view text) {
  if (form == Normalizer::none || text.empty()) return std::string(text);
  if (text.size() > std::numeric_limits<std::int32_t>::max() / 20) {  // no form makes more than 18 units of one character
    fail<ConfigError>("[normalize] text is too long; got ", text.size(), " bytes; expected at most ",
                      std::numeric_limits<std::int32_t>::max() / 20, "; hint: encode it in parts");
  }
  UNormalizer2 const* const normalizer = detail::icu_normalizer(form);
  std::u16string const source = detail::to_utf16(text);
  std::u16string result(source.size() + 16, u'\0');
  for (;;) {
    UErrorCode status = U_ZERO_ERROR;
    std::int32_t const length = unorm2_normalize(normalizer, source.data(), static_cast<std::int32_t>(source.size()), result.data(),
                                                 static_cast<std::int32_t>(result.size()), &status);
    if (status != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(status) != 0) fail("[normalize] ICU failed; got ", u_errorName(status));
    bool const complete = static_cast<std::size_t>(length) <= result.size();
    result.resize(static_cast<std::size_t>(length));
    if (complete) return detail::from_utf16(result);
  }
}

}  // namespace graft
