/// @file
/// @brief Adafactor on the host. Sums run in a fixed order, whatever the number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <graft/kernels/adafactor.hpp>
#include <graft/kernels/cpu/loops.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_moments(In gradient, Index rows, Index width,
                                                  AdafactorFactors<Device> const& factors, Out row, Out column) {
  auto const keep = static_cast<Scalar>(factors.keep), blend = static_cast<Scalar>(1.0 - factors.keep);
  Scalar const epsilon = static_cast<Scalar>(factors.epsilon),
               scale = typename Loops<Device>::template Number<Scalar>(factors.gradient_scale);
  auto const square = [=](Index i, Index j) {
    Scalar const g = scale * gradient[i * width + j];
    return g * g + epsilon;
  };
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index i = first; i < last; ++i)
      row[i] = keep * row[i] + blend * (cpu::lane_sum<Scalar>(width, [=](Index j) { return square(i, j); }) /
                                        static_cast<Scalar>(width));
  });
  std::vector<Scalar> sums(static_cast<std::size_t>(width));
  cpu::sum_rows(rows, width, sums.data(), square);
  for (Index j = 0; j < width; ++j)
    column[j] = keep * column[j] + blend * (sums[static_cast<std::size_t>(j)] / static_cast<Scalar>(rows));
}

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_update(In gradient, In row, In column, Index rows, Index width,
                                                 AdafactorFactors<Device> const& factors, Out update) {
  Scalar const scale = typename Loops<Device>::template Number<Scalar>(factors.gradient_scale);
  Scalar const mean = cpu::lane_sum<Scalar>(rows, [=](Index i) { return row[i]; }) / static_cast<Scalar>(rows);
  std::vector<Scalar> by_column(static_cast<std::size_t>(width));
  for (Index j = 0; j < width; ++j) by_column[static_cast<std::size_t>(j)] = Scalar(1) / std::sqrt(column[j]);
  parallel_chunks(rows, rows_per_chunk(width), [=, factor = by_column.data()](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      Scalar const by_row = Scalar(1) / std::sqrt(row[i] / mean);
      Scalar const* const g = gradient + i * width;
      cpu::map_here(update + i * width, width, [=](Index j) { return by_row * factor[j] * (scale * g[j]); });
    }
  });
}

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_vector(In gradient, Index size, AdafactorFactors<Device> const& factors,
                                                 Out second, Out update) {
  auto const keep = static_cast<Scalar>(factors.keep), blend = static_cast<Scalar>(1.0 - factors.keep);
  Scalar const epsilon = static_cast<Scalar>(factors.epsilon),
               scale = typename Loops<Device>::template Number<Scalar>(factors.gradient_scale);
  cpu::map_chunks(second, size, [=](Index i) {
    Scalar const g = scale * gradient[i];
    return keep * second[i] + blend * (g * g + epsilon);
  });
  cpu::map_chunks(update, size, [=](Index i) { return scale * gradient[i] / std::sqrt(second[i]); });
}

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_apply(Out parameter, In update, Out first, Index size,
                                                AdafactorRate<Device> const& how) {
  auto const root_mean = [size](double squares) { return std::sqrt(squares / static_cast<double>(size)); };
  double const rate =
      how.parameter_squares ? how.rate * std::max(how.epsilon, root_mean(*how.parameter_squares)) : how.rate;
  double const factor = rate / std::max(1.0, root_mean(*how.update_squares) / how.threshold);
  auto const times = static_cast<Scalar>(factor), stay = static_cast<Scalar>(how.beta1),
             blend = static_cast<Scalar>(1.0 - how.beta1), kept = static_cast<Scalar>(1.0 - how.weight_decay * rate);
  if (first) {
    cpu::map_chunks(first, size, [=](Index i) { return stay * first[i] + blend * (times * update[i]); });
    cpu::map_chunks(parameter, size, [=](Index i) { return kept * parameter[i] - first[i]; });
  } else {
    cpu::map_chunks(parameter, size, [=](Index i) { return kept * parameter[i] - times * update[i]; });
  }
}

}  // namespace graft::kernels
