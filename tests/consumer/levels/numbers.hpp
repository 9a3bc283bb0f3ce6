// Reproducible numbers for the kernels, and how their results are printed.
#pragma once

#include <graft/core/random.hpp>
#include <graft/core/types.hpp>

#include <cstdio>
#include <type_traits>
#include <vector>

using graft::Index;

/// `size` numbers of a standard normal distribution, times `scale`.
template <class Scalar>
std::vector<Scalar> normal(Index size, int seed, double scale = 1.0) {
  std::vector<Scalar> numbers(static_cast<std::size_t>(size));
  graft::RandomKey const key(static_cast<std::uint64_t>(seed));
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<Scalar>(scale * key.normal(i));
  return numbers;
}

/// A line `scalar kernel number…`.
template <class Scalar>
void print(char const* kernel, std::vector<Scalar> const& numbers) {
  std::printf("%s %s", std::is_same_v<Scalar, float> ? "float" : "double", kernel);
  for (Scalar number : numbers) std::printf(" %.17g", static_cast<double>(number));
  std::printf("\n");
}
