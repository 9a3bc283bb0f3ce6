// An operation of one's own, as docs/own_operation.md explains it.
#pragma once

#include <cmath>
#include <utility>

#include <graft/autograd/variable.hpp>
#include <graft/core/thread_pool.hpp>

//! [formula]
/// y_ij = x_ij·s_j with s = σ(gate), for x `[rows, width]` and gate `[width]`; dx_ij = dy_ij·s_j, dgate_j = s_j·(1 −
/// s_j)·Σ_i dy_ij·x_ij.
template <class Scalar>
[[nodiscard]] graft::Variable<Scalar> gate_columns(graft::Variable<Scalar> const& x,
                                                   graft::Variable<Scalar> const& gate) {
  //! [formula]
  using Values = graft::Tensor<Scalar>;
  using graft::Index;
  //! [shapes]
  if (x.shape().rank() != 2 || gate.value().size() != x.width())
    graft::fail<graft::ShapeError>("[gate_columns] got x ", x.shape(), " and gate ", gate.shape(),
                                   "; expected [rows, width] and [width]");
  //! [shapes]
  //! [forward]
  Index const rows = x.rows(), width = x.width();
  Values open(gate.shape());
  for (Index j = 0; j < width; ++j) open.data()[j] = 1 / (1 + std::exp(-gate.value().data()[j]));
  auto const gated = [rows, width, open](Values const& values) {
    Values result(values.shape());
    graft::parallel_chunks(rows, graft::rows_per_chunk(width), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) result.row(i)[j] = values.row(i)[j] * open.data()[j];
    });
    return result;
  };
  Values y = gated(x.value());
  if (!graft::needs_gradient(x, gate)) return y;
  //! [forward]
  //! [backward]
  Values const kept = gate.tracked() ? x.value() : Values();  // a handle, no copy; nothing where only dx is wanted
  return graft::record(std::move(y), [=, to_x = x.slot(), to_gate = gate.slot()](Values const& dy) {
    if (to_gate) {
      Values dgate = graft::zeros<Scalar>(open.shape());
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < width; ++j) dgate.data()[j] += dy.row(i)[j] * kept.row(i)[j];
      for (Index j = 0; j < width; ++j) dgate.data()[j] *= open.data()[j] * (1 - open.data()[j]);
      to_gate->accumulate(std::move(dgate));
    }
    if (to_x) to_x->accumulate(gated(dy));
  });
  //! [backward]
}
