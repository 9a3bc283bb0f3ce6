/// @file
/// @brief Whose products a program computes with.
#pragma once

namespace support {

/// Lets oneDNN multiply what it multiplies faster on this processor, where the program is built with it. The
/// environment variable GRAFT_PRODUCTS says otherwise: `own` for graft's own products alone, `onednn` for all that
/// oneDNN can. Another value, or `onednn` without oneDNN, is said in a warning and counts as not set.
void choose_products();

/// Operations a second of products like those of a small model's layers; 0 where oneDNN is not there or cannot.
struct OnednnRates {
  double float32 = 0, bfloat16 = 0;
};
/// Measures both, for about a second.
[[nodiscard]] OnednnRates measure_onednn();

}  // namespace support
