/// @file
/// @brief Rows picked from one variable or assembled from several: y_i = x_{index(i)}. A row's gradient is the sum over
/// the places it went to, in order.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/kernels/gather.hpp>
#include <graft/ops/storage.hpp>
#include <graft/tensor/mirrored_array.hpp>

namespace graft {

namespace detail {

/// Whether no index of [0, rows) occurs twice.
inline bool all_distinct(std::vector<Index> const& indices, Index rows) {
  if (static_cast<Index>(indices.size()) > rows) return false;
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(rows), 0);
  for (Index const i : indices)
    if (std::exchange(seen[static_cast<std::size_t>(i)], std::uint8_t{1})) return false;
  return true;
}

/// Adds dy[from[k]] to row to[k] of the gradient in `slot`.
template <class Scalar, class Device>
void add_rows_to(GradientSlot<Scalar, Device>& slot, Shape const& shape, Tensor<Scalar, Device> const& dy,
                 Pointer<Device, Index const> from, MirroredArray<Index, Device> const& to) {
  auto gradient = take_to_add(slot, shape);
  kernels::On<Device, kernels::Gather, Scalar>::add_rows(dy.data(), from, gradient.data(), to.data(),
                                                         all_distinct(to.host(), gradient.rows()), to.size(),
                                                         gradient.width());
  slot.accumulate(std::move(gradient));
}

}  // namespace detail

/// y [n, …] with y_i = x_{indices_i} for x [rows, …]; an index may repeat. All rows in their order: x itself.
/// @throws ShapeError for an index outside x.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> gather_rows(Variable<Scalar, Device> const& x,
                                                   std::type_identity_t<MirroredArray<Index, Device>> const& indices) {
  Index const count = indices.size(), rows = x.rows();
  std::vector<Index> const& numbers = indices.host();
  bool identity = count == rows;
  for (Index i = 0; i < count; ++i) {
    Index const from = numbers[static_cast<std::size_t>(i)];
    if (from < 0 || from >= rows)
      fail<ShapeError>("[gather_rows] got index ", from, " at place ", i, "; expected 0 to ", rows - 1);
    identity = identity && from == i;
  }
  if (identity) return x;
  Tensor<Scalar, Device> y(x.shape().with_rows(count));
  kernels::On<Device, kernels::Gather, Scalar>::copy_rows(x.value().data(), indices.data(), y.data(), nullptr, count,
                                                          x.width());
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [indices, shape = x.shape(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    detail::add_rows_to(*slot, shape, dy, nullptr, indices);
  });
}

/// Rows [first, last) of x, sharing its storage.
/// @throws ShapeError for a range outside x.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> slice_rows(Variable<Scalar, Device> const& x, Index first, Index last) {
  Tensor<Scalar, Device> y = x.value().slice(first, last);
  if (!needs_gradient(x)) return y;
  return record(std::move(y), [first, shape = x.shape(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    auto gradient = take_to_add(*slot, shape);
    auto const added = widened(dy);
    auto const target = gradient.row(first);
    kernels::On<Device, kernels::Elementwise, SumOf<Scalar>>::add(added.data(), target, target, added.size());
    slot->accumulate(std::move(gradient));
  });
}

/// y [n, …] with y_i = row `map[i].second` of `sources[map[i].first]`: how virtual tokens [P, width], stored once,
/// enter every row of a packed batch.
/// @throws ShapeError if there is no source, the sources' rows differ in shape, or the map points outside them.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> assemble_rows(std::vector<Variable<Scalar, Device>> const& sources,
                                                     std::vector<std::pair<int, Index>> const& map) {
  struct Share {
    std::vector<Index> chosen, places;
    MirroredArray<Index, Device> from, to;  ///< the same, for kernels
    Shape shape;
    std::shared_ptr<GradientSlot<Scalar, Device>> slot;
  };
  if (sources.empty()) fail<ShapeError>("[assemble_rows] got no sources; expected at least one");
  std::vector<Share> parts(sources.size());
  bool wanted = false;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    parts[s].shape = sources[s].shape();
    parts[s].slot = sources[s].slot();
    wanted = wanted || needs_gradient(sources[s]);
    if (!(sources[s].shape().with_rows(1) == sources[0].shape().with_rows(1)))
      fail<ShapeError>("[assemble_rows] got source ", s, " of shape ", sources[s].shape(),
                       "; expected rows like those of source 0, ", sources[0].shape());
  }
  for (std::size_t i = 0; i < map.size(); ++i) {
    auto const [source, row] = map[i];
    if (source < 0 || static_cast<std::size_t>(source) >= sources.size())
      fail<ShapeError>("[assemble_rows] got source ", source, " at place ", i, "; expected 0 to ", sources.size() - 1);
    Share& part = parts[static_cast<std::size_t>(source)];
    if (row < 0 || row >= part.shape[0])
      fail<ShapeError>("[assemble_rows] got row ", row, " of source ", source, " at place ", i, "; expected 0 to ",
                       part.shape[0] - 1);
    part.chosen.push_back(row);
    part.places.push_back(static_cast<Index>(i));
  }
  StepArrays<Device> arrays;
  for (Share& part : parts) {
    part.from = arrays.add(std::move(part.chosen));
    part.to = arrays.add(std::move(part.places));
  }
  arrays.upload();
  Tensor<Scalar, Device> y(sources[0].shape().with_rows(static_cast<Index>(map.size())));
  for (std::size_t s = 0; s < sources.size(); ++s)
    kernels::On<Device, kernels::Gather, Scalar>::copy_rows(sources[s].value().data(), parts[s].from.data(), y.data(),
                                                            parts[s].to.data(), parts[s].to.size(), y.width());
  if (!wanted) return y;
  return record(std::move(y), [parts = std::move(parts)](Tensor<Scalar, Device> const& dy) {
    for (Share const& part : parts)
      if (part.slot && part.from.size() > 0) detail::add_rows_to(*part.slot, part.shape, dy, part.to.data(), part.from);
  });
}

#ifdef GRAFT_COMPILED
extern template Variable<float> gather_rows(Variable<float> const&, MirroredArray<Index> const&);
extern template Variable<double> gather_rows(Variable<double> const&, MirroredArray<Index> const&);
#endif

}  // namespace graft
