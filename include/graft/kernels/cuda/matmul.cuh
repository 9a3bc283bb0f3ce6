/// @file
/// @brief Matrix products on a GPU by cuBLAS, in the scalar's full precision.
#pragma once

#include <cublas_v2.h>

#include <cstdint>
#include <type_traits>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/matmul.hpp>

namespace graft::kernels::cuda {

namespace matmul {

/// Throws what cuBLAS reported, unless it succeeded.
template <class... Details>
void check(cublasStatus_t status, char const* call, Details const&... details) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  (void)cudaGetLastError();
  fail("[cuda] ", call, " failed on ", Runtime<Cuda>::describe(), "; got ", cublasGetStatusName(status), " (",
       cublasGetStatusString(status), ")", details..., "; expected CUBLAS_STATUS_SUCCESS");
}

/// Calls `f` with the handle of the queue, which is made at the first product.
template <class F>
void with_handle(F const& f) {
  auto const make = [](cudaStream_t stream) {
    cublasHandle_t handle{};
    check(cublasCreate(&handle), "cublasCreate");
    cublasStatus_t const status = cublasSetStream(handle, stream);
    if (status != CUBLAS_STATUS_SUCCESS) (void)cublasDestroy(handle);
    check(status, "cublasSetStream");
    return handle;
  };
  Queue<Cuda>::current().with_blas<cublasHandle_t>(
      make, [](void* handle) { (void)cublasDestroy(static_cast<cublasHandle_t>(handle)); }, f);
}

/// How cuBLAS, which counts down the columns, is asked for a row-major product: what it sees in C's memory is Cᵀ =
/// op(B)ᵀ·op(A)ᵀ, and in a row-major operand its transpose. So the operands change places, and one that is read as it
/// is stored is read as it is stored.
template <class Scalar>
struct ColumnMajor {
  cublasOperation_t first_read, second_read;
  std::int64_t rows, columns, inner;
  Scalar const* first;
  std::int64_t first_stride;
  Scalar const* second;
  std::int64_t second_stride;
};
template <class Scalar>
ColumnMajor<Scalar> column_major(Product<Scalar, Cuda> const& p) {
  auto const read = [](Read r) { return r == Read::plain ? CUBLAS_OP_N : CUBLAS_OP_T; };
  return {read(p.read_b), read(p.read_a), p.n, p.m, p.k, p.b.raw(), p.ldb, p.a.raw(), p.lda};
}

/// C = β·C, what remains of a product without inner elements; β = 0 overwrites whatever is there.
template <class Scalar>
struct ScaleInPlace {
  Scalar beta;
  Scalar* c;
  Index ldc;
  __device__ void operator()(Index i, Index j) const {
    c[i * ldc + j] = beta == Scalar(0) ? Scalar(0) : beta * c[i * ldc + j];
  }
};

}  // namespace matmul

}  // namespace graft::kernels::cuda

namespace graft::kernels {

template <class Scalar>
void Matmul<Cuda, Scalar>::matmul(Product<Scalar, Cuda> const& p) {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>,
                "cuBLAS products are for float and double");
  if (p.m <= 0 || p.n <= 0) return;
  if (p.k <= 0)
    return cuda::each_in_rows("matmul", p.m, p.n, cuda::matmul::ScaleInPlace<Scalar>{p.beta, p.c.raw(), p.ldc});
  auto const call = cuda::matmul::column_major(p);
  Scalar const one = 1;
  cublasStatus_t status{};
  char const* name = nullptr;
  cuda::matmul::with_handle([&](cublasHandle_t handle) {
    if constexpr (std::is_same_v<Scalar, float>) {
      name = "cublasSgemm";
      status =
          cublasSgemm_64(handle, call.first_read, call.second_read, call.rows, call.columns, call.inner, &one,
                         call.first, call.first_stride, call.second, call.second_stride, &p.beta, p.c.raw(), p.ldc);
    } else {
      name = "cublasDgemm";
      status =
          cublasDgemm_64(handle, call.first_read, call.second_read, call.rows, call.columns, call.inner, &one,
                         call.first, call.first_stride, call.second, call.second_stride, &p.beta, p.c.raw(), p.ldc);
    }
  });
  cuda::matmul::check(status, name, " for [", p.m, ", ", p.k, "] by [", p.k, ", ", p.n, "]");
}

}  // namespace graft::kernels
