/// @file
/// @brief A fast hash of short byte strings, for in-memory tables only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace graft::detail {

/// Spreads the bits of a 64-bit key (the finalizer of MurmurHash3).
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t key) noexcept {
  key = (key ^ (key >> 33)) * 0xFF51AFD7ED558CCDu;
  key = (key ^ (key >> 33)) * 0xC4CEB9FE1A85EC53u;
  return key ^ (key >> 33);
}

/// Hashes eight bytes at a time; words and tokens are mostly shorter than that.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  std::uint64_t hash = 0x9E3779B97F4A7C15u * (bytes.size() + 1);
  char const* data = bytes.data();
  std::size_t left = bytes.size();
  for (; left > 8; left -= 8, data += 8) {
    std::uint64_t chunk;
    std::memcpy(&chunk, data, 8);
    hash = mix_bits(hash ^ chunk);
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, data, left);
  return mix_bits(hash ^ tail);
}

}  // namespace graft::detail
