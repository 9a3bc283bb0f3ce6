/// @file
/// @brief ggml's quantized formats: how many numbers a block holds, and in how many bytes.
#pragma once

#include <cstddef>
#include <string_view>

#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// A format of blocks that share a scale (and a minimum). After ggml-common.h of llama.cpp.
enum class BlockFormat { q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k };

/// Numbers of one block: 32, or 256 of a k-quant.
[[nodiscard]] GRAFT_HOST_DEVICE constexpr Index block_values(BlockFormat format) noexcept {
  return format < BlockFormat::q2_k ? 32 : 256;
}

/// Bytes of one block.
[[nodiscard]] GRAFT_HOST_DEVICE constexpr Index block_bytes(BlockFormat format) noexcept {
  constexpr Index bytes[] = {18, 20, 22, 24, 34, 84, 110, 144, 176, 210};
  return bytes[static_cast<std::size_t>(format)];
}

/// "Q4_1", …
[[nodiscard]] constexpr std::string_view block_format_name(BlockFormat format) noexcept {
  constexpr std::string_view names[] = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"};
  return names[static_cast<std::size_t>(format)];
}

}  // namespace graft
