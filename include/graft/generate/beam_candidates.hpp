/// @file
/// @brief The best continuations of one beam.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include <graft/core/types.hpp>

namespace graft::detail {

/// A beam continued by a token.
struct BeamCandidate {
  double score;  ///< Σ log p with this token
  Index beam;    ///< rank among the prompt's live beams
  Token token;
};

/// Best first; equal scores by beam, then token, lowest first (torch.topk leaves their order open).
[[nodiscard]] inline bool operator<(BeamCandidate const& a, BeamCandidate const& b) {
  if (a.score != b.score) return a.score > b.score;
  return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
}

/// The `count` best continuations of one beam with sum `score`, best first; impossible ones (−∞) are none.
template <class Scalar>
[[nodiscard]] std::vector<BeamCandidate> best_continuations(Scalar const* log_probabilities, Index vocabulary,
                                                            double score, Index beam, std::size_t count) {
  std::vector<BeamCandidate> best;
  best.reserve(count + 1);
  Scalar bound = -std::numeric_limits<Scalar>::infinity();  // what a token must exceed to be among the best
  for (Index v = 0; v < vocabulary; ++v) {
    if (!(log_probabilities[v] > bound)) continue;
    BeamCandidate const candidate{score + static_cast<double>(log_probabilities[v]), beam, static_cast<Token>(v)};
    best.insert(std::upper_bound(best.begin(), best.end(), candidate), candidate);
    if (best.size() > count) best.pop_back();
    if (best.size() == count) bound = log_probabilities[best.back().token];
  }
  return best;
}

}  // namespace graft::detail
