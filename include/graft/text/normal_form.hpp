/// @file
/// @brief Unicode normalization forms.
#pragma once

#include <graft/core/error.hpp>
#include <graft/text/utf8.hpp>

#include <unicode/unorm2.h>
#include <unicode/uset.h>
#include <unicode/ustring.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace graft {

/// A normalization form (Unicode Standard Annex 15), or none.
enum class NormalForm : std::uint8_t { none, nfc, nfd, nfkc, nfkd };

namespace detail {

[[nodiscard]] inline UNormalizer2 const* unfiltered_normalizer(NormalForm form, UErrorCode& status) {
  return form == NormalForm::nfc    ? unorm2_getNFCInstance(&status)
         : form == NormalForm::nfd  ? unorm2_getNFDInstance(&status)
         : form == NormalForm::nfkc ? unorm2_getNFKCInstance(&status)
                                    : unorm2_getNFKDInstance(&status);
}

/// A form that passes over characters younger than Unicode 9, whose tables Hugging Face's tokenizers have. Kept until
/// the program ends.
[[nodiscard]] inline UNormalizer2 const* open_normalizer(NormalForm form) {
  UErrorCode status = U_ZERO_ERROR;
  constexpr std::u16string_view pattern = u"[:age=9.0:]";
  USet* const known = uset_openPattern(pattern.data(), static_cast<std::int32_t>(pattern.size()), &status);
  UNormalizer2 const* const all = unfiltered_normalizer(form, status);
  if (U_FAILURE(status) == 0) uset_freeze(known);
  UNormalizer2 const* const found = U_FAILURE(status) != 0 ? nullptr : unorm2_openFiltered(all, known, &status);
  if (U_FAILURE(status) != 0) fail("[normalize] ICU has no data for this form; got ", u_errorName(status));
  return found;
}

[[nodiscard]] inline UNormalizer2 const* icu_normalizer(NormalForm form) {
  static std::array<UNormalizer2 const*, 4> const forms{
      open_normalizer(NormalForm::nfc), open_normalizer(NormalForm::nfd), open_normalizer(NormalForm::nfkc),
      open_normalizer(NormalForm::nfkd)};
  return forms[static_cast<std::size_t>(form) - 1];
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
    if (code >= 0xD800 && code < 0xDC00 && at + 1 < text.size())
      code = ((code - 0xD7C0) << 10) + (text[++at] - char32_t{0xDC00});
    append_utf8(out, code);
  }
  return out;
}

}  // namespace detail

/// `text` (well-formed UTF-8) in the given form, which ASCII is in already.
[[nodiscard]] inline std::string normalize(NormalForm form, std::string_view text) {
  if (form == NormalForm::none || is_ascii(text)) return std::string(text);
  if (text.size() >
      std::numeric_limits<std::int32_t>::max() / 20) {  // no form makes more than 18 units of one character
    fail<ConfigError>("[normalize] text is too long; got ", text.size(), " bytes; expected at most ",
                      std::numeric_limits<std::int32_t>::max() / 20, "; hint: encode it in parts");
  }
  UNormalizer2 const* const normalizer = detail::icu_normalizer(form);
  std::u16string const source = detail::to_utf16(text);
  std::u16string result(source.size() + 16, u'\0');
  for (;;) {
    UErrorCode status = U_ZERO_ERROR;
    std::int32_t const length = unorm2_normalize(normalizer, source.data(), static_cast<std::int32_t>(source.size()),
                                                 result.data(), static_cast<std::int32_t>(result.size()), &status);
    if (status != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(status) != 0)
      fail("[normalize] ICU failed; got ", u_errorName(status));
    bool const complete = static_cast<std::size_t>(length) <= result.size();
    result.resize(static_cast<std::size_t>(length));
    if (complete) return detail::from_utf16(result);
  }
}

}  // namespace graft
