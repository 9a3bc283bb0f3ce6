/// @file
/// @brief A row on the host: one thread, in lanes.
#pragma once

#include <cmath>
#include <type_traits>
#include <vector>

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/row_team.hpp>

namespace graft::kernels {

template <>
class RowTeam<Cpu> {
 public:
  template <class F>
  static void each_row(char const* name, Index rows, Index width, F const& f) {
    KernelTimer const timer(name, 0, 2.0 * sizeof(float) * static_cast<double>(rows * width));
    parallel_chunks(rows, rows_per_chunk(width), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) f(i, RowTeam());
    });
  }
  template <class F>
  static void each_row_of(char const* name, std::vector<RowsPiece<F>> const& pieces) {
    for (auto const& piece : pieces) each_row(name, piece.rows, piece.width, piece.f);
  }

  template <class F>
  [[nodiscard]] auto max(Index size, F const& f) const {
    using Number = std::invoke_result_t<F const&, Index>;
    auto largest = static_cast<Number>(-HUGE_VAL);
    for (Index j = 0; j < size; ++j) {
      Number const value = f(j);
      largest = largest < value ? value : largest;
    }
    return largest;
  }
  template <class F>
  [[nodiscard]] auto sum(Index size, F const& f) const {
    return cpu::lane_sum<std::invoke_result_t<F const&, Index>>(size, f);
  }
  template <class Bin, class Value>
  [[nodiscard]] Bins bins(Index size, Bin const& bin, Value const& value) const {
    Bins result{};
    for (Index j = 0; j < size; ++j)
      if (int const b = bin(j); b >= 0) result.sums[b] += value(j);
    return result;
  }
  template <class Scalar, class F>
  void map(Scalar* y, Index size, F const& f) const {
    cpu::map_here(y, size, f);
  }
};

}  // namespace graft::kernels
