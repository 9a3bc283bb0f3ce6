/// @file
/// @brief Every column multiplied by a trained number: y = x ∘ l, with l broadcast over the rows.
#pragma once

#include <utility>

#include <graft/autograd/variable.hpp>
#include <graft/kernels/scale_columns.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

/// x [rows, width] and l of `width` elements, whatever its shape; dx_ij = dy_ij·l_j, dl_j
/// = Σ_i dy_ij·x_ij. Keeps x only where l's gradient is wanted.
/// @throws ShapeError if there are not as many scales as columns.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> scale_columns(Variable<Scalar, Device> const& x,
                                                     Variable<Scalar, Device> const& l) {
  using Values = Tensor<Scalar, Device>;
  if (x.shape().rank() != 2 || l.value().size() != x.width())
    fail<ShapeError>("[scale_columns] got an input of shape ", x.shape(), " and scales of shape ", l.shape(),
                     "; expected [rows, width] and width elements");
  Index const rows = x.rows(), width = x.width();
  Values y(x.shape());
  kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_columns(x.value().data(), l.value().data(), rows, width,
                                                                    y.data());
  if (!needs_gradient(x, l)) return y;
  return record(std::move(y), [=, kept = l.tracked() ? x.value() : Values(), to_x = x.slot()](Values const& dy) {
    if (l.tracked()) {
      Values dl(l.shape());
      kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_columns_gain_gradient(kept.data(), dy.data(), rows,
                                                                                      width, dl.data());
      l.slot()->accumulate(std::move(dl));
    }
    if (to_x) {
      Values dx = recycled(dy);
      kernels::On<Device, kernels::ScaleColumns, Scalar>::scale_columns(dy.data(), l.value().data(), rows, width,
                                                                        dx.data());
      to_x->accumulate(std::move(dx));
    }
  });
}

}  // namespace graft
