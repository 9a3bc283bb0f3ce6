/// @file
/// @brief Softmax statistics on the host.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cross_entropy.hpp>

namespace graft::kernels {

template <class Scalar>
void softmax_statistics(Cpu, Scalar* logits, Index rows, Index classes, Token const* labels, Scalar* log_sum_exp, Scalar* label_logit,
                        Scalar* mean, bool keep_probabilities) {
  using Row = Eigen::Array<Scalar, Eigen::Dynamic, 1>;
  parallel_for(rows, [=](Index i) {
    Eigen::Map<Row> row(logits + i * classes, classes);
    Scalar const largest = row.maxCoeff();
    label_logit[i] = row[labels[i]];
    mean[i] = row.mean();
    Scalar sum;
    if (keep_probabilities) {
      row = (row - largest).exp();
      sum = row.sum();
      row *= Scalar(1) / sum;
    } else {
      sum = (row - largest).exp().sum();
    }
    log_sum_exp[i] = largest + std::log(sum);
  });
}

template <class Scalar>
void cross_entropy_gradient(Cpu, Scalar* z, Index rows, Index classes, Token const* labels, Scalar const* g) {
  parallel_for(rows, [=](Index i) {
    Scalar* const row = z + i * classes;
    for (Index v = 0; v < classes; ++v) row[v] *= -g[i];
    row[labels[i]] += g[i];
  });
}

}  // namespace graft::kernels
