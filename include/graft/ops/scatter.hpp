/// @file
/// @brief Rows of a variable put into an array of zeros: y_{index(k)} = x_k. The adjoint of `gather_rows`.
#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include <graft/ops/gather.hpp>

namespace graft {

namespace detail {

/// The shape of the result.
template <class Scalar, class Device>
[[nodiscard]] Shape scattered_shape(char const* op, Variable<Scalar, Device> const& x,
                                    std::vector<Index> const& indices, Index rows) {
  if (x.shape().rank() < 1 || static_cast<Index>(indices.size()) != x.rows())
    fail<ShapeError>("[", op, "] got ", indices.size(), " indices for an input of shape ", x.shape(),
                     "; expected one for each row");
  if (rows < 0) fail<ShapeError>("[", op, "] got a result of ", rows, " rows; expected 0 or more");
  for (std::size_t k = 0; k < indices.size(); ++k)
    if (indices[k] < 0 || indices[k] >= rows)
      fail<ShapeError>("[", op, "] got index ", indices[k], " at place ", k, "; expected 0 to ", rows - 1);
  return x.shape().with_rows(rows);
}

/// Records dx_k = dy_{indices_k}.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> record_scatter(Tensor<Scalar, Device> y, Variable<Scalar, Device> const& x,
                                                      MirroredArray<Index, Device> const& indices) {
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [indices, shape = x.shape(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx(shape);  // [n, …]
    kernels::On<Device, kernels::Gather, Scalar>::copy_rows(dy.data(), indices.data(), dx.data(), nullptr,
                                                            indices.size(), dx.width());
    slot->accumulate(std::move(dx));
  });
}

}  // namespace detail

/// x [n, …] → y [rows, …] with y_{indices_k} = x_k and 0 in all other rows; dx_k = dy_{indices_k}.
/// @throws ShapeError unless there is one index for each row of x, each within y, and none twice.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> scatter_rows(Variable<Scalar, Device> const& x,
                                                    std::type_identity_t<MirroredArray<Index, Device>> const& indices,
                                                    Index rows) {
  Tensor<Scalar, Device> y(detail::scattered_shape("scatter_rows", x, indices.host(), rows));  // [rows, …]
  if (!detail::all_distinct(indices.host(), rows))
    fail<ShapeError>(
        "[scatter_rows] got an index twice; expected a row of its own for each; hint: scatter_add_rows "
        "adds rows that go to one place");
  kernels::On<Device, kernels::Elementwise, Scalar>::fill(y.data(), Scalar(0), y.size());
  kernels::On<Device, kernels::Gather, Scalar>::copy_rows(x.value().data(), nullptr, y.data(), indices.data(),
                                                          indices.size(), y.width());
  return detail::record_scatter(std::move(y), x, indices);
}

/// x [n, …] → y [rows, …] with y_i = Σ_{k: indices_k = i} x_k, in the order of k, and 0 where there is none;
/// dx_k = dy_{indices_k}. Of bfloat16 the sums are formed in float32 and rounded once.
/// @throws ShapeError unless there is one index for each row of x, each within y.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> scatter_add_rows(
    Variable<Scalar, Device> const& x, std::type_identity_t<MirroredArray<Index, Device>> const& indices, Index rows) {
  using Sum = SumOf<Scalar>;
  Tensor<Sum, Device> sums(detail::scattered_shape("scatter_add_rows", x, indices.host(), rows));  // [rows, …]
  kernels::On<Device, kernels::Elementwise, Sum>::fill(sums.data(), Sum(0), sums.size());
  kernels::On<Device, kernels::Gather, Scalar>::add_rows(x.value().data(), nullptr, sums.data(), indices.data(),
                                                         detail::all_distinct(indices.host(), rows), indices.size(),
                                                         sums.width());
  return detail::record_scatter(rounded<Scalar, Device>(std::move(sums)), x, indices);
}

}  // namespace graft
