/// @file
/// @brief METEOR's statistics of an aligned pair of texts, and the score that their sums give.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <graft/metrics/meteor/alignment.hpp>
#include <graft/metrics/meteor/matches.hpp>
#include <optional>
#include <span>
#include <vector>

namespace graft::detail {

/// Places of the sums: words and function words of both texts, chunks (0 for a pair that is one whole chunk), and for
/// each stage the matched content and function words of both texts.
struct MeteorSum {
  static constexpr std::size_t words = 0, reference_words = 1, function = 2, reference_function = 3, chunks = 4,
                               stages = 5, width = stages + 4 * meteor_stages;
};

using MeteorSums = std::array<double, MeteorSum::width>;

/// METEOR's English parameters of the ranking task.
struct MeteorParameters {
  static constexpr double alpha = 0.85;  ///< weight of recall
  static constexpr double beta = 0.20;   ///< how the penalty grows with fragmentation
  static constexpr double gamma = 0.60;  ///< the greatest penalty
  static constexpr double delta = 0.75;  ///< weight of a content word; a function word has 1 − delta
  static constexpr std::array<double, meteor_stages> stage_weights = {1.0, 0.6, 0.8, 0.6};
};

inline double count_true(std::vector<bool> const& flags) {
  double count = 0;
  for (bool const flag : flags) count += flag ? 1 : 0;
  return count;
}

/// The sums of one pair.
inline MeteorSums meteor_sums(MeteorText const& hypothesis, MeteorText const& reference,
                              std::vector<std::optional<MeteorMatch>> const& chosen) {
  MeteorSums sums{};
  sums[MeteorSum::words] = static_cast<double>(hypothesis.words.size());
  sums[MeteorSum::reference_words] = static_cast<double>(reference.words.size());
  sums[MeteorSum::function] = count_true(hypothesis.function);
  sums[MeteorSum::reference_function] = count_true(reference.function);
  for (auto const& match : chosen) {
    if (!match) continue;
    double* const stage = sums.data() + MeteorSum::stages + 4 * static_cast<std::size_t>(match->stage);
    for (std::size_t i = 0; i < match->hypothesis_length; ++i)
      ++stage[hypothesis.function[match->hypothesis_start + i] ? 1 : 0];
    for (std::size_t i = 0; i < match->length; ++i) ++stage[reference.function[match->start + i] ? 3 : 2];
  }
  double matched = 0, reference_matched = 0;
  for (std::size_t s = 0; s < meteor_stages; ++s) {
    matched += sums[MeteorSum::stages + 4 * s] + sums[MeteorSum::stages + 4 * s + 1];
    reference_matched += sums[MeteorSum::stages + 4 * s + 2] + sums[MeteorSum::stages + 4 * s + 3];
  }
  int const chunks = count_chunks(chosen);
  bool const whole =
      matched == sums[MeteorSum::words] && reference_matched == sums[MeteorSum::reference_words] && chunks == 1;
  sums[MeteorSum::chunks] = whole ? 0 : chunks;
  return sums;
}

/// The score of sums, between 0 and 1.
inline double meteor_of_sums(std::span<double const> sums) {
  using Is = MeteorParameters;
  double matched = 0, reference_matched = 0, weighted = 0, reference_weighted = 0;
  for (std::size_t s = 0; s < meteor_stages; ++s) {
    double const* const stage = sums.data() + MeteorSum::stages + 4 * s;
    matched += stage[0] + stage[1];
    reference_matched += stage[2] + stage[3];
    weighted += Is::stage_weights[s] * (Is::delta * stage[0] + (1 - Is::delta) * stage[1]);
    reference_weighted += Is::stage_weights[s] * (Is::delta * stage[2] + (1 - Is::delta) * stage[3]);
  }
  auto const length = [](double words, double function) {
    return Is::delta * (words - function) + (1 - Is::delta) * function;
  };
  if (matched == 0 || reference_matched == 0) return 0;
  double const precision = weighted / length(sums[MeteorSum::words], sums[MeteorSum::function]);
  double const recall =
      reference_weighted / length(sums[MeteorSum::reference_words], sums[MeteorSum::reference_function]);
  double const mean = 1 / ((1 - Is::alpha) / precision + Is::alpha / recall);
  double const chunks = sums[MeteorSum::chunks];
  double const fragmentation = chunks / ((matched + reference_matched) / 2);
  double const score = mean * (1 - Is::gamma * std::pow(fragmentation, Is::beta));
  return score > 0 ? score : 0;
}

}  // namespace graft::detail
