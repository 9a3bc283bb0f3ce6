/// @file
/// @brief The host's loops, cut into chunks for the thread pool by their size alone.
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <vector>

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/cpu/math.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace cpu {

/// What `size` numbers take.
template <class Number>
constexpr double bytes_of(Index size) {
  return static_cast<double>(size) * static_cast<double>(sizeof(Number));
}
/// What a loop's function reads and writes, about: floats at as many pointers as it has room for, at most 6.
template <class F>
constexpr double operand_bytes(Index size) {
  constexpr std::size_t pointers = sizeof(F) / sizeof(void*);
  return static_cast<double>(pointers < 6 ? pointers : 6) * bytes_of<float>(size);
}

}  // namespace cpu

template <>
struct Loops<Cpu> {
  struct Math {
    template <class Scalar>
    static Scalar exp(Scalar x) {
      return cpu::fast_exp(x);
    }
    template <class Scalar>
    static Scalar erf(Scalar x) {
      return cpu::fast_erf(x);
    }
    template <class Scalar>
    static Scalar tanh(Scalar x) {
      return cpu::fast_tanh(x);
    }
  };

  /// Read here: nothing is ever under way on the host.
  template <class Scalar>
  class Number {
   public:
    static constexpr bool is_late = false;
    explicit Number(double const* at) : value_(at ? static_cast<Scalar>(*at) : Scalar(1)) {}
    operator Scalar() const { return value_; }  // NOLINT: stands for it

   private:
    Scalar value_;
  };

  template <class Scalar>
  class Room {
   public:
    explicit Room(Index size) : numbers_(static_cast<std::size_t>(size)) {}
    [[nodiscard]] Scalar* data() { return numbers_.data(); }

   private:
    std::vector<Scalar> numbers_;
  };

  template <class F>
  static void each(char const* name, Index size, F const& f) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(size));
    cpu::each(size, f);
  }
  template <class F>
  static void each_of(char const* name, std::vector<Piece<F>> const& pieces) {
    for (auto const& piece : pieces) each(name, piece.size, piece.f);
  }
  template <class F>
  static void totals(char const* name, std::vector<Piece<F>> const& pieces, double* results) {
    for (std::size_t k = 0; k < pieces.size(); ++k) total(name, pieces[k].size, pieces[k].f, results + k);
  }
  template <class F, class Scalar>
  static void sums(char const* name, std::vector<Piece<F>> const& pieces, Scalar* results) {
    for (std::size_t k = 0; k < pieces.size(); ++k) sum(name, pieces[k].size, pieces[k].f, Scalar(1), results + k);
  }
  template <class Scalar, class F>
  static void map(char const* name, Scalar* y, Index size, F const& f) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(size) + cpu::bytes_of<Scalar>(size));
    cpu::map_chunks(y, size, f);
  }
  template <class Scalar, class F>
  static void map(char const* name, Scalar* y, Scalar* z, Index size, F const& f) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(size) + cpu::bytes_of<Scalar>(2 * size));
    cpu::map_chunks(y, z, size, f);
  }
  template <class F>
  static void each_in_rows(char const* name, Index rows, Index width, F const& f) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(rows * width));
    parallel_chunks(rows, rows_per_chunk(width), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i)
        for (Index j = 0; j < width; ++j) f(i, j);
    });
  }
  template <class Scalar, class F>
  static void map_rows(char const* name, Index rows, Index width, Scalar* y, F const& f) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(rows * width) + cpu::bytes_of<Scalar>(rows * width));
    parallel_chunks(rows, rows_per_chunk(width), [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) cpu::map_here(y + i * width, width, [&, i](Index j) { return f(i, j); });
    });
  }
  template <class Scalar, class F>
  static void sum_rows(char const* name, Index rows, Index width, Scalar* y, F const& f) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(rows * width));
    cpu::sum_rows(rows, width, y, f);
  }
  template <class F>
  static void sum_rows_of(char const* name, std::vector<RowsPiece<F>> const& pieces) {
    for (auto const& [f, rows, width] : pieces) {
      KernelTimer const timer(name, 0, cpu::operand_bytes<F>(rows * width));
      Room<std::remove_cvref_t<decltype(f.term(rows, width))>> sums(width);
      cpu::sum_rows(rows, width, sums.data(), [own = f](Index i, Index j) { return own.term(i, j); });
      cpu::each(width, [own = f, of_column = sums.data()](Index j) { own.put(j, of_column[j]); });
    }
  }
  /// Chunks of 4096 elements summed in lanes, the chunks' sums added in pairs: rounding error grows with the logarithm
  /// of their number.
  template <class F, class Scalar>
  static void sum(char const* name, Index size, F const& f, Scalar factor, Scalar* result) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(size));
    constexpr Index chunk = 4096;
    std::vector<Scalar> parts(static_cast<std::size_t>(size <= chunk ? 1 : (size + chunk - 1) / chunk));
    parallel_chunks(size, chunk, [&](Index first, Index last) {
      parts[static_cast<std::size_t>(first / chunk)] =
          cpu::lane_sum<Scalar>(last - first, [&](Index i) { return f(first + i); });
    });
    for (std::size_t step = 1; step < parts.size(); step *= 2)
      for (std::size_t i = 0; i + step < parts.size(); i += 2 * step) parts[i] += parts[i + step];
    *result = factor * parts[0];
  }
  /// Fixed lanes within fixed chunks, chunks added in order.
  template <class F>
  static void total(char const* name, Index size, F const& f, double* result) {
    KernelTimer const timer(name, 0, cpu::operand_bytes<F>(size));
    constexpr Index chunk = 16384, lanes = 8;
    auto const part = [&](Index begin, Index end) {
      std::array<double, lanes> lane{};
      Index i = begin;
      for (; i + lanes <= end; i += lanes)
        for (std::size_t k = 0; k < lanes; ++k) lane[k] += f(i + static_cast<Index>(k));
      for (; i < end; ++i) lane[0] += f(i);
      double sum = 0;
      for (double value : lane) sum += value;
      return sum;
    };
    if (size <= chunk) {  // most parameters: nothing to gather
      *result = part(0, size);
      return;
    }
    std::vector<double> sums(static_cast<std::size_t>((size + chunk - 1) / chunk));
    parallel_chunks(size, chunk,
                    [&](Index begin, Index end) { sums[static_cast<std::size_t>(begin / chunk)] = part(begin, end); });
    double total = 0;
    for (double sum : sums) total += sum;
    *result = total;
  }
};

}  // namespace graft::kernels
