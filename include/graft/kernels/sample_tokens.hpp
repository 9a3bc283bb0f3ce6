/// @file
/// @brief Tokens drawn from rows of logits, so that sampling need not bring a vocabulary of logits to the host.
#pragma once

#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// Which tokens of a row may be drawn, and their weights: exp((z_v − max z) / temperature).
struct SamplingRule {
  double temperature = 1;
  Index top_k = 0;   ///< the k largest logits, and those equal to the k-th; 0: all
  double top_p = 1;  ///< of these the heaviest whose weights first reach so much of the sum, at least one; of equal
                     ///< weights the higher tokens; 1: all
  double min_p = 0;  ///< of these the ones that weigh as much
};

template <class Device, class Scalar>
struct SampleTokens {
  using In = Pointer<Device, Scalar const>;
  using Numbers = Pointer<Device, double const>;
  using Out = Pointer<Device, double>;

  /// So many numbers are written for each token.
  static constexpr Index width = 2;

  /// Draws tokens of each of `rows` rows of logits z `[rows, vocabulary]`, one for each of `uniforms` `[rows, draws]`:
  /// the one at that quantile, in [0, 1), of those that `rule` leaves, by ascending token. Writes `[rows, draws, 2]`:
  /// its log-probability z − log Σ_v exp z_v, which no rule changes, and the token as a number. Of a row with NaN or
  /// +∞, or with nothing but −∞, the log-probability is NaN.
  static void sample_tokens(In logits, Index rows, Index vocabulary, Numbers uniforms, Index draws,
                            SamplingRule const& rule, Out y);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/sample_tokens.hpp>
#endif
