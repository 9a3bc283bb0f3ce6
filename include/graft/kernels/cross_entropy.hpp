/// @file
/// @brief Softmax statistics of rows of logits.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels {

/// For every row of `logits` `[rows, classes]`: `log_sum_exp`, `label_logit` (the logit at the row's label), `mean` (of the row).
/// Then, if `keep_probabilities`, the logits are replaced by softmax probabilities.
template <class Scalar>
void softmax_statistics(Cpu, Scalar* logits, Index rows, Index classes, Token const* labels, Scalar* log_sum_exp, Scalar* label_logit,
                        Scalar* mean, bool keep_probabilities);
/// In place, from probabilities p: d(log p_label)/dz·g, that is z_iv = g_i·([v = label_i] − p_iv).
template <class Scalar>
void cross_entropy_gradient(Cpu, Scalar* z, Index rows, Index classes, Token const* labels, Scalar const* g);

}  // namespace graft::kernels

#ifndef GRAFT_COMPILED
#include <graft/kernels/cpu/cross_entropy.hpp>
#endif
