/// @file
/// @brief z = y + scale·(x·Aᵀ)·Bᵀ in one pass over y.
#pragma once

#include <utility>

#include <graft/ops/linear.hpp>

namespace graft {

/// y `[rows, out]`, x `[rows, in]`, A `[rank, in]`, B `[out, rank]`. With u = x·Aᵀ:
/// dy = dz, dB = scale·dzᵀ·u, du = scale·dz·B, dA = duᵀ·x, dx = du·A. Keeps x's handle and u.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> add_low_rank(Variable<Scalar, Device> const& y,
                                                    Variable<Scalar, Device> const& x,
                                                    Variable<Scalar, Device> const& a,
                                                    Variable<Scalar, Device> const& b, Scalar scale) {
  using kernels::Read;
  using Values = Tensor<Scalar, Device>;
  Index const rows = x.rows(), in = x.width(), rank = a.rows(), out = b.rows();
  if (a.width() != in || b.width() != rank || y.rows() != rows || y.width() != out)
    fail<ShapeError>("[add_low_rank] got y ", y.shape(), ", x ", x.shape(), ", A ", a.shape(), ", B ", b.shape(),
                     "; expected [rows, out], [rows, in], [rank, in], [out, rank]");

  Values u(Shape{rows, rank});
  kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, rank, in, x.value().data(), in, Read::plain,
                                                        a.value().data(), in, Read::transposed, Scalar(0), u.data(),
                                                        rank});
  kernels::On<Device, kernels::Elementwise, Scalar>::scale(u.data(), scale, u.data(),
                                                           u.size());  // u = scale·x·Aᵀ from here on
  Values z(y.shape());
  kernels::On<Device, kernels::Elementwise, Scalar>::scale(y.value().data(), Scalar(1), z.data(), z.size());
  kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, out, rank, u.data(), rank, Read::plain, b.value().data(),
                                                        rank, Read::transposed, Scalar(1), z.data(), out});
  if (!needs_gradient(y, x, a, b)) return z;

  return record(std::move(z), [=](Values dz) {
    if (b.tracked()) {
      Values db(b.shape());
      kernels::On<Device, kernels::Matmul, Scalar>::matmul(
          {out, rank, rows, dz.data(), out, Read::transposed, u.data(), rank, Read::plain, Scalar(0), db.data(), rank});
      b.slot()->accumulate(std::move(db));
    }
    if (a.tracked() || x.tracked()) {
      Values du(Shape{rows, rank});
      kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, rank, out, dz.data(), out, Read::plain,
                                                            b.value().data(), rank, Read::plain, Scalar(0), du.data(),
                                                            rank});
      kernels::On<Device, kernels::Elementwise, Scalar>::scale(du.data(), scale, du.data(), du.size());
      if (a.tracked()) {
        Values da(a.shape());
        kernels::On<Device, kernels::Matmul, Scalar>::matmul({rank, in, rows, du.data(), rank, Read::transposed,
                                                              x.value().data(), in, Read::plain, Scalar(0), da.data(),
                                                              in});
        a.slot()->accumulate(std::move(da));
      }
      if (x.tracked()) {
        Values dx(x.shape());
        kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, in, rank, du.data(), rank, Read::plain,
                                                              a.value().data(), in, Read::plain, Scalar(0), dx.data(),
                                                              in});
        x.slot()->accumulate(std::move(dx));
      }
    }
    if (y.tracked()) y.slot()->accumulate(std::move(dz));
  });
}

}  // namespace graft
