/// @file
/// @brief One AdamW update of one parameter.
#pragma once

#include <vector>

#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// The numbers of one update, formed in double and rounded once to the parameter's scalar, as torch does.
struct AdamWFactors {
  double keep;          ///< 1 − η·λ, the decoupled weight decay
  double blend_first;   ///< 1 − β₁
  double keep_second;   ///< β₂
  double blend_second;  ///< 1 − β₂
  double step_size;     ///< η / (1 − β₁ᵗ)
  double correction;    ///< √(1 − β₂ᵗ)
  double epsilon;       ///< ε, added outside the square root
};

template <class Device, class Scalar>
struct Adamw {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// g ← scale·g, for the number at `scale` (of clipping; null for 1); θ ← keep·θ; m ← m + (1 − β₁)(g − m); v ← β₂·v +
  /// (1 − β₂)g²; θ ← θ − step_size·m / (√v / correction + ε). On a GPU a scale of NaN, as of gradients that are
  /// no numbers, changes nothing.
  static void adamw(Out parameter, In gradient, Out first, Out second, Index size, AdamWFactors const& factors,
                    Pointer<Device, double const> scale);

  /// One parameter's update among several.
  struct Update {
    Out parameter;
    In gradient;
    Out first, second;
    Index size;
    AdamWFactors factors;
  };
  /// The same of several parameters: on a GPU by one launch.
  static void adamw(std::vector<Update> const& updates, Pointer<Device, double const> scale);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/adamw.hpp>
#endif
