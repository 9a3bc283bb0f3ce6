// An operation of one's own, as docs/own_operation.md explains it.
#pragma once

#include <utility>

#include <graft/autograd/variable.hpp>
#include <graft/core/thread_pool.hpp>

//! [formula]
/// y_ij = x_ij·gain_j for x `[rows, width]` and gain `[width]`; dx_ij = dy_ij·gain_j, dgain_j = Σ_i dy_ij·x_ij.
template <class Scalar>
[[nodiscard]] graft::Variable<Scalar> scale_columns(graft::Variable<Scalar> const& x, graft::Variable<Scalar> const& gain) {
  //! [formula]
  using Values = graft::Tensor<Scalar>;
  using graft::Index;
  //! [shapes]
  if (x.shape().rank() != 2 || gain.value().size() != x.width())
    graft::fail<graft::ShapeError>("[scale_columns] got x ", x.shape(), " and gain ", gain.shape(), "; expected [rows, width] and [width]");
  //! [shapes]
  //! [forward]
  Index const rows = x.rows(), width = x.width();
  auto const scaled = [rows, width](Values const& values, Values const& by) {
    Values result(values.shape());
    graft::parallel_chunks(rows, graft::rows_per_chunk(width), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) result.row(i)[j] = values.row(i)[j] * by.data()[j];
    });
    return result;
  };
  Values y = scaled(x.value(), gain.value());
  if (!graft::needs_gradient(x, gain)) return y;
  //! [forward]
  //! [backward]
  Values const kept = gain.tracked() ? x.value() : Values();  // a handle, no copy; nothing where only dx is wanted
  return graft::record(std::move(y), [=, to_x = x.slot()](Values const& dy) {
    if (!kept.empty()) {
      Values dgain = graft::zeros<Scalar>(gain.shape());
      for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < width; ++j) dgain.data()[j] += dy.row(i)[j] * kept.row(i)[j];
      gain.slot()->accumulate(std::move(dgain));
    }
    if (to_x) to_x->accumulate(scaled(dy, gain.value()));
  });
  //! [backward]
}
