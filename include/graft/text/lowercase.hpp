/// @file
/// @brief Lower case for text in any script.
#pragma once

#include <unicode/bytestream.h>
#include <unicode/casemap.h>

#include <cstdint>
#include <graft/core/error.hpp>
#include <limits>
#include <string>
#include <string_view>

namespace graft {

/// UTF-8 text in lower case, with Unicode's full mappings and no language's special rules (as Python's `str.lower`).
/// @throws ConfigError for a text that ICU cannot take (2 GiB or more)
[[nodiscard]] inline std::string lowercase(std::string_view text) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  if (text.size() > most)
    fail<ConfigError>("[lowercase] text too long; got ", text.size(), " bytes; expected at most ", most);
  std::string result;
  result.reserve(text.size());
  icu::StringByteSink<std::string> sink(&result);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr,
                            status);
  if (U_FAILURE(status))
    fail<ConfigError>("[lowercase] ICU failed; got ", u_errorName(status), "; expected U_ZERO_ERROR");
  return result;
}

}  // namespace graft
