/// @file
/// @brief cuBLAS and cuBLASLt as a queue has them: their handles, the types and the order of their operands.
#pragma once

#include <cublasLt.h>
#include <cublas_v2.h>

#include <cstdint>
#include <type_traits>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/cuda/lt_plans.cuh>
#include <graft/kernels/matmul.hpp>
#include <graft/kernels/tf32.hpp>

namespace graft::kernels::cuda::matmul {

/// Throws what cuBLAS reported, unless it succeeded.
template <class... Details>
void check(cublasStatus_t status, char const* call, Details const&... details) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  (void)cudaGetLastError();
  fail("[cuda] ", call, " failed on ", Runtime<Cuda>::describe(), "; got ", cublasGetStatusName(status), " (",
       cublasGetStatusString(status), ")", details..., "; expected CUBLAS_STATUS_SUCCESS");
}

/// Sums that several blocks of threads share stay in the type they are computed in until the last: cuBLAS might
/// otherwise round parts of them to bfloat16, the type of the result.
inline constexpr auto math_mode =
    static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);

/// What a queue keeps for products. Its handles serve one stream at a time and have one workspace, and cuBLAS uses no
/// atomic additions unless it is asked to: so products have the same bits every time.
struct Library {
  cublasHandle_t blas{};
  cublasLtHandle_t lt{};  ///< made at the first product that has an epilogue
  void* workspace{};      ///< the queue's
  std::size_t workspace_bytes = 0;
  LtPlans plans;

  Library() {
    check(cublasCreate(&blas), "cublasCreate");
    cublasStatus_t const status = cublasSetMathMode(blas, math_mode);
    if (status != CUBLAS_STATUS_SUCCESS) (void)cublasDestroy(blas);
    check(status, "cublasSetMathMode");
  }
  ~Library() {
    if (lt) (void)cublasLtDestroy(lt);
    (void)cublasDestroy(blas);
  }
  Library(Library const&) = delete;
  Library& operator=(Library const&) = delete;

  void serve(cudaStream_t stream, void* memory, std::size_t bytes) {
    check(cublasSetStream(blas, stream), "cublasSetStream");
    check(cublasSetWorkspace(blas, memory, bytes), "cublasSetWorkspace");  // a new stream takes it away
    workspace = memory;
    workspace_bytes = bytes;
  }
  void need_lt() {
    if (!lt) check(cublasLtCreate(&lt), "cublasLtCreate");
  }
};

/// Calls `f` with the library of the queue, which is made at the first product and serves `stream`.
template <class F>
void with_library(cudaStream_t stream, F const& f) {
  Queue<Cuda>::current().with_blas<Library*>(
      stream, [] { return new Library; },
      [](Library* library, cudaStream_t own, void* memory, std::size_t bytes) { library->serve(own, memory, bytes); },
      [](void* library) { delete static_cast<Library*>(library); }, [&](Library* library) { f(*library); });
}
/// The same where nothing is started.
template <class F>
void with_library(F const& f) {
  Queue<Cuda>::current().with_stream([&](cudaStream_t stream) { with_library(stream, f); });
}

template <class Scalar>
inline constexpr cudaDataType_t type_of = Scalar::cublas_has_no_such_products;
template <>
inline constexpr cudaDataType_t type_of<double> = CUDA_R_64F;
template <>
inline constexpr cudaDataType_t type_of<float> = CUDA_R_32F;
template <>
inline constexpr cudaDataType_t type_of<bfloat16> = CUDA_R_16BF;

/// What products are multiplied and summed in.
template <class Scalar>
cublasComputeType_t computed_in() {
  if constexpr (std::is_same_v<Scalar, double>) return CUBLAS_COMPUTE_64F;
  return std::is_same_v<Scalar, float> && tf32_allowed() ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
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
template <class Scalar, class Result>
ColumnMajor<Scalar> column_major(Product<Scalar, Cuda, Result> const& p) {
  auto const read = [](Read r) { return r == Read::plain ? CUBLAS_OP_N : CUBLAS_OP_T; };
  return {read(p.read_b), read(p.read_a), p.n, p.m, p.k, p.b.raw(), p.ldb, p.a.raw(), p.lda};
}

}  // namespace graft::kernels::cuda::matmul
