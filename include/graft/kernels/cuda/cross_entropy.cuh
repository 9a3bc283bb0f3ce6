/// @file
/// @brief Softmax statistics on a GPU: a block of threads takes a row of a block of logits.
#pragma once

#include <cmath>

#include <graft/kernels/cross_entropy.hpp>
#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/row_team.cuh>

namespace graft::kernels {

namespace cuda {

template <class Scalar>
struct SoftmaxBlock {
  Scalar* logits;
  Index classes, first;
  Token const* labels;
  SoftmaxRows<Scalar> known;  ///< the plain addresses
  Scalar* rescale;

  __device__ void operator()(Index i, RowTeam<Cuda> const& team) const {
    Scalar* const row = logits + i * classes;
    Index const label = labels[i] - first;
    if (label >= 0 && label < classes) set(team, known.label_logit + i, row[label]);
    Scalar const before = known.largest[i], largest = team.max(classes, [=](Index v) { return row[v]; });
    Scalar const now = largest > before ? largest : before;
    Scalar const shrink = std::exp(before - now);  // 0 at the first block
    auto const power = [=](Index v) { return std::exp(row[v] - now); };
    Scalar const total = team.sum(classes, [=](Index v) { return row[v]; });
    Scalar sum;
    if (rescale) {
      team.map(row, classes, power);
      sum = team.sum(classes, [=](Index v) { return row[v]; });
      set(team, rescale + i, shrink);
    } else {
      sum = team.sum(classes, power);
    }
    add(team, known.total + i, Scalar(1), total);
    add(team, known.sum + i, shrink, sum);
    set(team, known.largest + i, now);
  }

 private:
  /// By one thread of the team.
  __device__ static void set(RowTeam<Cuda> const& team, Scalar* at, Scalar value) {
    team.map(at, 1, [=](Index) { return value; });
  }
  /// The number at `at` times `factor`, plus `more`, by one thread.
  __device__ static void add(RowTeam<Cuda> const& team, Scalar* at, Scalar factor, Scalar more) {
    team.map(at, 1, [=](Index) { return *at * factor + more; });
  }
};

template <class Scalar>
struct SoftmaxEnd {
  SoftmaxRows<Scalar> known;
  Scalar classes;
  Scalar* reciprocal;
  __device__ void operator()(Index i) const {
    Scalar const log_sum_exp = known.largest[i] + std::log(known.sum[i]);
    known.largest[i] = log_sum_exp;
    known.label_logit[i] -= log_sum_exp;
    known.total[i] /= classes;
    reciprocal[i] = Scalar(1) / known.sum[i];
  }
};

template <class Scalar>
struct CrossEntropyGradient {
  Scalar const* logits;
  Index classes, first;
  Token const* labels;
  Scalar const *log_sum_exp, *g;
  __device__ Scalar operator()(Index i, Index v) const {
    Scalar const others = std::exp(logits[i * classes + v] - log_sum_exp[i]) * -g[i];
    return v == labels[i] - first ? others + g[i] : others;
  }
};

template <class Scalar>
SoftmaxRows<Scalar> plain(SoftmaxRows<Scalar, Cuda> const& rows) {
  return {rows.largest.raw(), rows.sum.raw(), rows.total.raw(), rows.label_logit.raw()};
}

}  // namespace cuda

template <class Scalar>
void CrossEntropy<Cuda, Scalar>::softmax_block(Out logits, Index rows, Index classes, Index first, Labels labels,
                                               SoftmaxRows<Scalar, Cuda> known, Out rescale) {
  RowTeam<Cuda>::each_row(
      "softmax_block", rows, classes,
      cuda::SoftmaxBlock<Scalar>{logits.raw(), classes, first, labels.raw(), cuda::plain(known), rescale.raw()});
}

template <class Scalar>
void CrossEntropy<Cuda, Scalar>::softmax_end(SoftmaxRows<Scalar, Cuda> known, Index rows, Index classes,
                                             Out reciprocal) {
  cuda::each("softmax_end", rows,
             cuda::SoftmaxEnd<Scalar>{cuda::plain(known), static_cast<Scalar>(classes), reciprocal.raw()});
}

template <class Scalar>
void CrossEntropy<Cuda, Scalar>::cross_entropy_gradient(Out logits, Index rows, Index classes, Index first,
                                                        Labels labels, In log_sum_exp, In g) {
  Loops<Cuda>::map_rows(
      "cross_entropy_gradient", rows, classes, logits,
      cuda::CrossEntropyGradient<Scalar>{logits.raw(), classes, first, labels.raw(), log_sum_exp.raw(), g.raw()});
}

}  // namespace graft::kernels
