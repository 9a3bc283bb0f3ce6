/// @file
/// @brief Random numbers that are addressed, not drawn: the same key and counter give the same number on every machine,
/// in any order.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

#include <graft/core/dtype.hpp>

namespace graft {

/// Mixes 64 bits (the finalizer of SplitMix64; Steele, Lea & Flood 2014).
GRAFT_HOST_DEVICE constexpr std::uint64_t mix_bits(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

/// A stream of random numbers named by what it is for: `RandomKey(seed).with("dropout").with(step).with(example)`.
/// Kernels of a GPU have integers as parts, and bits.
class RandomKey {
 public:
  GRAFT_HOST_DEVICE constexpr explicit RandomKey(std::uint64_t seed = 0)
      : state_(mix_bits(seed ^ 0x67726166742e3031ULL)) {}

  /// The sub-stream for an integer part of the address.
  [[nodiscard]] GRAFT_HOST_DEVICE constexpr RandomKey with(std::uint64_t part) const {
    return RandomKey(state_ ^ mix_bits(part + 1), Raw{});
  }
  /// The sub-stream for a named part of the address.
  [[nodiscard]] constexpr RandomKey with(std::string_view name) const {
    std::uint64_t hash = 1469598103934665603ULL;  // FNV-1a
    for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return with(hash);
  }

  /// 64 random bits at position `counter` of the stream.
  [[nodiscard]] GRAFT_HOST_DEVICE constexpr std::uint64_t bits(std::uint64_t counter) const {
    return mix_bits(state_ + mix_bits(counter));
  }
  /// Uniform in [0, 1).
  [[nodiscard]] constexpr double uniform(std::uint64_t counter) const {
    return static_cast<double>(bits(counter) >> 11) * 0x1.0p-53;
  }
  /// Uniform integer in [0, bound); `bound` > 0.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t counter, std::uint64_t bound) const {
    auto const value = static_cast<std::uint64_t>(uniform(counter) * static_cast<double>(bound));
    return value < bound ? value : bound - 1;
  }
  /// Standard normal (Box–Muller on the pair of uniforms at 2·counter).
  [[nodiscard]] double normal(std::uint64_t counter) const {
    double const radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * counter)));
    return radius * std::cos(6.283185307179586 * uniform(2 * counter + 1));
  }

 private:
  struct Raw {};
  GRAFT_HOST_DEVICE constexpr RandomKey(std::uint64_t state, Raw) : state_(mix_bits(state)) {}
  std::uint64_t state_;
};

/// Shuffles [0, n) in place (Fisher–Yates) with the numbers of `key`.
template <class Container>
void shuffle(Container& items, RandomKey key) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[key.below(i, i)]);
}

}  // namespace graft
