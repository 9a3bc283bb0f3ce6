/// @file
/// @brief One Adafactor update of several parameters.
#pragma once

#include <vector>

#include <graft/kernels/on.hpp>

namespace graft::kernels {

/// The numbers of a step that its parameters share.
struct AdafactorRule {
  double epsilon1;        ///< ε₁, added to squared gradients
  double epsilon2;        ///< ε₂, the least scale of a parameter
  double clip_threshold;  ///< d, largest root mean square of an update
  double beta1;           ///< β₁, of the first moment
  double weight_decay;    ///< λ
  bool scale_parameter;   ///< multiply the learning rate by max(ε₂, RMS(θ))
};

template <class Device, class Scalar>
struct Adafactor {
  using In = Pointer<Device, Scalar const>;
  using Out = Pointer<Device, Scalar>;

  /// One parameter's update among several. A vector has one row.
  struct Update {
    Out parameter;    ///< θ [rows, width]
    In gradient;      ///< [rows, width]
    Out row, column;  ///< of a matrix: second moments [rows] and [width], else null
    Out second;       ///< of a vector: second moments [width], else null
    Out first;        ///< m [rows, width], null without a first moment
    Index rows, width;
    double keep;  ///< β̂₂, the share of second moments that stays
    double rate;  ///< η, the learning rate
  };
  /// One step of all parameters, with g ← scale·g for the number at `scale` (of clipping; null for 1).
  ///
  /// Second moments follow q = g² + ε₁. A vector's is second ← β̂₂·second + (1 − β̂₂)·q. A matrix's row and column
  /// follow the means of q along rows and down columns. The update is u = g / √v, where v is `second`, or of a matrix
  /// v_ij = row_i · column_j / mean(row). It is divided by max(1, RMS(u) / d).
  ///
  /// With α = η, or η · max(ε₂, RMS(θ)): θ ← (1 − λ·α)·θ − α·u. With a first moment: m ← β₁·m + (1 − β₁)·α·u, and
  /// θ ← (1 − λ·α)·θ − m.
  ///
  /// On a GPU the number of launches does not grow with that of parameters. A scale of NaN, as of gradients that are no
  /// numbers, changes nothing there.
  static void adafactor(std::vector<Update> const& updates, AdafactorRule const& rule,
                        Pointer<Device, double const> scale);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/adafactor.hpp>
#endif
