/// @file
/// @brief Softmax statistics on the host.
#pragma once

#include <Eigen/Core>
#include <cmath>

#include <graft/core/profile.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/kernels/cross_entropy.hpp>

namespace graft::kernels {

namespace cpu {
template <class Scalar>
using LogitRow = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
}

template <class Device, class Scalar>
void CrossEntropy<Device, Scalar>::softmax_block(Out logits, Index rows, Index classes, Index first,
                                                 Pointer<Device, Token const> labels, SoftmaxRows<Scalar, Device> known,
                                                 Out rescale) {
  KernelTimer const timer("softmax of logits", 0, 2.0 * sizeof(Scalar) * static_cast<double>(rows * classes));
  parallel_for(rows, [=](Index i) {
    cpu::LogitRow<Scalar> row(logits + i * classes, classes);
    Index const label = labels[i] - first;
    if (label >= 0 && label < classes) known.label_logit[i] = row[label];
    Scalar const before = known.largest[i], largest = row.maxCoeff(), now = largest > before ? largest : before;
    Scalar const shrink = std::exp(before - now);  // 0 at the first block
    known.total[i] += row.sum();
    Scalar sum;
    if (rescale) {
      row = (row - now).exp();
      sum = row.sum();
      rescale[i] = shrink;
    } else {
      sum = (row - now).exp().sum();
    }
    known.sum[i] = known.sum[i] * shrink + sum;
    known.largest[i] = now;
  });
}

template <class Device, class Scalar>
void CrossEntropy<Device, Scalar>::softmax_end(SoftmaxRows<Scalar, Device> known, Index rows, Index classes,
                                               Out reciprocal) {
  for (Index i = 0; i < rows; ++i) {
    known.largest[i] += std::log(known.sum[i]);
    known.label_logit[i] -= known.largest[i];
    known.total[i] /= static_cast<Scalar>(classes);
    reciprocal[i] = 1 / known.sum[i];
  }
}

template <class Device, class Scalar>
void CrossEntropy<Device, Scalar>::cross_entropy_gradient(Out logits, Index rows, Index classes, Index first,
                                                          Pointer<Device, Token const> labels, In log_sum_exp, In g) {
  KernelTimer const timer("gradient of logits", 0, 2.0 * sizeof(Scalar) * static_cast<double>(rows * classes));
  parallel_for(rows, [=](Index i) {
    cpu::LogitRow<Scalar> row(logits + i * classes, classes);
    row = (row - log_sum_exp[i]).exp() * -g[i];
    Index const label = labels[i] - first;
    if (label >= 0 && label < classes) row[label] += g[i];
  });
}

}  // namespace graft::kernels
