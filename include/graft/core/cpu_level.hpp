/// @file
/// @brief For which processors the kernels in use were compiled.
#pragma once

#include <string_view>

namespace graft {

namespace detail {

/// The level of the x86-64 processor (its psABI's: 2 has SSE4.2, 3 AVX2 and FMA, 4 AVX-512) that a source's flags ask
/// for; 0 for other processors.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512CD__) && defined(__AVX512DQ__) && \
    defined(__AVX512VL__)
inline constexpr int level_of_flags = 4;
#elif defined(__AVX2__) && defined(__FMA__) && defined(__BMI2__)
inline constexpr int level_of_flags = 3;
#elif defined(__SSE4_2__) && defined(__POPCNT__)
inline constexpr int level_of_flags = 2;
#elif defined(__x86_64__)
inline constexpr int level_of_flags = 1;
#else
inline constexpr int level_of_flags = 0;
#endif

/// Set before `main` where `graft::compiled` holds kernels for several levels; 0 elsewhere.
inline int dispatched_level = 0;

}  // namespace detail

/// The processor level of the kernels in use: "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", or "generic" on other
/// processors. Where `graft::compiled` holds kernels for several levels, it is the highest that the processor has, or
/// the one that the environment variable GRAFT_CPU names (v2, v3, v4); elsewhere what the compiler's flags ask for.
template <int of_flags = detail::level_of_flags>
[[nodiscard]] std::string_view cpu_level() {
  constexpr std::string_view names[] = {"generic", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"};
  return names[detail::dispatched_level > 0 ? detail::dispatched_level : of_flags];
}

}  // namespace graft
