/// @file
/// @brief A GPU's loops. Sums run in an order that depends on the sizes alone, not on the device.
#pragma once

#include <cmath>
#include <vector>

#include <graft/kernels/cuda/pieces.cuh>
#include <graft/kernels/cuda/reduce.cuh>
#include <graft/kernels/cuda/sum_rows.cuh>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace cuda {

template <class Scalar, class F>
struct Assign {
  Scalar* y;
  F f;
  __device__ void operator()(Index i) const { y[i] = f(i); }
};
/// Everything is read before anything is written.
template <class Scalar, class F>
struct AssignPair {
  Scalar *y, *z;
  F f;
  __device__ void operator()(Index i) const {
    auto const pair = f(i);
    y[i] = Scalar(pair.first);
    z[i] = Scalar(pair.second);
  }
};
template <class Scalar, class F>
struct AssignInRows {
  Scalar* y;
  Index width;
  F f;
  __device__ void operator()(Index i, Index j) const { y[i * width + j] = f(i, j); }
};
template <class Scalar>
struct BlockSum {
  Scalar const* sums;
  __device__ Scalar operator()(Index block) const { return sums[block]; }
};

}  // namespace cuda

template <>
struct Loops<Cuda> {
  struct Math {
    template <class Scalar>
    GRAFT_HOST_DEVICE static Scalar exp(Scalar x) {
      return std::exp(x);
    }
    template <class Scalar>
    GRAFT_HOST_DEVICE static Scalar erf(Scalar x) {
      return std::erf(x);
    }
    template <class Scalar>
    GRAFT_HOST_DEVICE static Scalar tanh(Scalar x) {
      return std::tanh(x);
    }
  };

  /// Read by the threads, when the kernel runs.
  template <class Scalar>
  class Number {
   public:
    static constexpr bool is_late = true;
    explicit Number(DevicePointer<double const> at) : at_(at.raw()) {}
    GRAFT_HOST_DEVICE operator Scalar() const {
      return at_ ? static_cast<Scalar>(*at_) : Scalar(1);
    }  // NOLINT: stands for it

   private:
    double const* at_;
  };

  /// Goes back to the pool in the order of the loops.
  template <class Scalar>
  class Room {
   public:
    explicit Room(Index size) : scratch_(static_cast<std::size_t>(size) * sizeof(Scalar)) {}
    [[nodiscard]] DevicePointer<Scalar> data() const {
      return DevicePointer<Scalar>(static_cast<Scalar*>(scratch_.data()));
    }

   private:
    cuda::Scratch scratch_;
  };

  template <class F>
  static void each(char const* name, Index size, F const& f) {
    cuda::each(name, size, f);
  }
  template <class F>
  static void each_of(char const* name, std::vector<Piece<F>> const& pieces) {
    cuda::each_of(name, pieces);
  }
  template <class F>
  static void totals(char const* name, std::vector<Piece<F>> const& pieces, DevicePointer<double> results) {
    cuda::sums(name, pieces, results.raw());
  }
  template <class F, class Scalar>
  static void sums(char const* name, std::vector<Piece<F>> const& pieces, DevicePointer<Scalar> results) {
    cuda::sums(name, pieces, results.raw());
  }
  template <class Scalar, class F>
  static void map(char const* name, DevicePointer<Scalar> y, Index size, F const& f) {
    cuda::each(name, size, cuda::Assign<Scalar, F>{y.raw(), f});
  }
  template <class Scalar, class F>
  static void map(char const* name, DevicePointer<Scalar> y, DevicePointer<Scalar> z, Index size, F const& f) {
    cuda::each(name, size, cuda::AssignPair<Scalar, F>{y.raw(), z.raw(), f});
  }
  template <class F>
  static void each_in_rows(char const* name, Index rows, Index width, F const& f) {
    cuda::each_in_rows(name, rows, width, f);
  }
  template <class Scalar, class F>
  static void map_rows(char const* name, Index rows, Index width, DevicePointer<Scalar> y, F const& f) {
    cuda::each_in_rows(name, rows, width, cuda::AssignInRows<Scalar, F>{y.raw(), width, f});
  }
  template <class Scalar, class F>
  static void sum_rows(char const* name, Index rows, Index width, DevicePointer<Scalar> y, F const& f) {
    if (width > 0) cuda::sum_rows(name, rows, width, f, y.raw());
  }
  template <class F>
  static void sum_rows_of(char const* name, std::vector<RowsPiece<F>> const& pieces) {
    cuda::sum_rows_of(name, pieces);
  }
  /// One block adds the sums of the others.
  template <class F, class Scalar>
  static void sum(char const* name, Index size, F const& f, Scalar factor, DevicePointer<Scalar> result) {
    using cuda::BlockSum, cuda::sum_kernel;
    unsigned const blocks = cuda::sum_blocks(size);
    if (blocks == 1)
      return cuda::launch(name, &sum_kernel<F, Scalar>, 1, dim3(cuda::block_threads), size, f, factor, result.raw());
    cuda::Scratch const scratch(blocks * sizeof(Scalar));
    auto* const sums = static_cast<Scalar*>(scratch.data());
    cuda::launch(name, &sum_kernel<F, Scalar>, blocks, dim3(cuda::block_threads), size, f, Scalar(1), sums);
    cuda::launch(name, &sum_kernel<BlockSum<Scalar>, Scalar>, 1, dim3(cuda::block_threads), static_cast<Index>(blocks),
                 BlockSum<Scalar>{sums}, factor, result.raw());
  }
  template <class F>
  static void total(char const* name, Index size, F const& f, DevicePointer<double> result) {
    sum(name, size, f, 1.0, result);
  }
};

}  // namespace graft::kernels
