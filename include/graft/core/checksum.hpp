/// @file
/// @brief XXH64, a fast 64-bit checksum that tells a damaged file from a whole one (it does not protect against
/// forgery).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace graft {

namespace detail {

inline constexpr std::uint64_t xxh_prime[] = {0x9e3779b185ebca87ULL, 0xc2b2ae3d27d4eb4fULL, 0x165667b19e3779f9ULL,
                                              0x85ebca77c2b2ae63ULL, 0x27d4eb2f165667c5ULL};

constexpr std::uint64_t rotate_left(std::uint64_t x, int bits) { return (x << bits) | (x >> (64 - bits)); }
constexpr std::uint64_t xxh_round(std::uint64_t sum, std::uint64_t word) {
  return rotate_left(sum + word * xxh_prime[1], 31) * xxh_prime[0];
}
constexpr std::uint64_t xxh_merge(std::uint64_t hash, std::uint64_t lane) {
  return (hash ^ xxh_round(0, lane)) * xxh_prime[0] + xxh_prime[3];
}

template <class Word>
std::uint64_t read_word(unsigned char const* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

}  // namespace detail

/// XXH64 of `size` bytes (https://github.com/Cyan4973/xxHash, "XXH64 algorithm description"); a `seed` of 0 gives what
/// `xxhsum` prints.
[[nodiscard]] inline std::uint64_t checksum(void const* data, std::size_t size, std::uint64_t seed = 0) {
  using namespace detail;
  auto const* at = static_cast<unsigned char const*>(data);
  auto const* const end = at + size;
  std::uint64_t hash = seed + xxh_prime[4];
  if (size >= 32) {
    std::uint64_t lanes[] = {seed + xxh_prime[0] + xxh_prime[1], seed + xxh_prime[1], seed, seed - xxh_prime[0]};
    for (; end - at >= 32; at += 32)
      for (int i = 0; i < 4; ++i) lanes[i] = xxh_round(lanes[i], read_word<std::uint64_t>(at + 8 * i));
    hash = rotate_left(lanes[0], 1) + rotate_left(lanes[1], 7) + rotate_left(lanes[2], 12) + rotate_left(lanes[3], 18);
    for (std::uint64_t lane : lanes) hash = xxh_merge(hash, lane);
  }
  hash += size;
  for (; end - at >= 8; at += 8)
    hash = rotate_left(hash ^ xxh_round(0, read_word<std::uint64_t>(at)), 27) * xxh_prime[0] + xxh_prime[3];
  for (; end - at >= 4; at += 4)
    hash = rotate_left(hash ^ (read_word<std::uint32_t>(at) * xxh_prime[0]), 23) * xxh_prime[1] + xxh_prime[2];
  for (; at != end; ++at) hash = rotate_left(hash ^ (*at * xxh_prime[4]), 11) * xxh_prime[0];
  hash = (hash ^ (hash >> 33)) * xxh_prime[1];
  hash = (hash ^ (hash >> 29)) * xxh_prime[2];
  return hash ^ (hash >> 32);
}

}  // namespace graft
