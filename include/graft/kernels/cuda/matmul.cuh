/// @file
/// @brief Matrix products on a GPU by cuBLAS: in the scalar's full precision, unless the program has allowed TF32; of
/// bfloat16 with sums in float32.
#pragma once

#include <cublas_v2.h>

#include <cstdint>
#include <type_traits>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/loops.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/kernels/tf32.hpp>

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

/// Sums that several blocks of threads share stay in the type they are computed in until the last: cuBLAS might
/// otherwise round parts of them to bfloat16, the type of the result.
inline constexpr auto math_mode =
    static_cast<cublasMath_t>(CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);

/// Calls `f` with the handle of the queue, which is made at the first product and serves `stream`. A handle that serves
/// one stream at a time gives the same bits every time: its workspace is its own, and cuBLAS uses no atomic additions
/// unless it is asked to.
template <class F>
void with_handle(cudaStream_t stream, F const& f) {
  auto const make = [] {
    cublasHandle_t handle{};
    check(cublasCreate(&handle), "cublasCreate");
    cublasStatus_t const status = cublasSetMathMode(handle, math_mode);
    if (status != CUBLAS_STATUS_SUCCESS) (void)cublasDestroy(handle);
    check(status, "cublasSetMathMode");
    return handle;
  };
  auto const set = [](cublasHandle_t handle, cudaStream_t own, void* workspace, std::size_t bytes) {
    check(cublasSetStream(handle, own), "cublasSetStream");
    check(cublasSetWorkspace(handle, workspace, bytes), "cublasSetWorkspace");  // a new stream takes it away
  };
  Queue<Cuda>::current().with_blas<cublasHandle_t>(
      stream, make, set, [](void* handle) { (void)cublasDestroy(static_cast<cublasHandle_t>(handle)); }, f);
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

/// C = β·C, what remains of a product without inner elements; β = 0 overwrites whatever is there.
template <class Scalar>
struct ScaleInPlace {
  SumOf<Scalar> beta;
  Scalar* c;
  Index ldc;
  __device__ void operator()(Index i, Index j) const {
    Scalar& element = c[i * ldc + j];
    element = beta == 0 ? Scalar(0) : Scalar(beta * wide(element));
  }
};

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

/// A product as it is asked of cuBLAS.
template <class Scalar, class Result>
struct Multiplication {
  Product<Scalar, Cuda, Result> product;
  cublasComputeType_t computed;

  void operator()(cudaStream_t stream) const {
    auto const call = column_major(product);
    SumOf<Scalar> const one = 1;
    cublasStatus_t status{};
    with_handle(stream, [&](cublasHandle_t handle) {
      status = cublasGemmEx_64(handle, call.first_read, call.second_read, call.rows, call.columns, call.inner, &one,
                               call.first, type_of<Scalar>, call.first_stride, call.second, type_of<Scalar>,
                               call.second_stride, &product.beta, product.c.raw(), type_of<Result>, product.ldc,
                               computed, CUBLAS_GEMM_DEFAULT);
    });
    check(status, "cublasGemmEx", " for [", product.m, ", ", product.k, "] by [", product.k, ", ", product.n, "]");
  }
};

template <class Scalar, class Result>
void multiply(Product<Scalar, Cuda, Result> const& p) {
  if (p.m <= 0 || p.n <= 0) return;
  if (p.k <= 0) return each_in_rows("matmul", p.m, p.n, ScaleInPlace<Result>{p.beta, p.c.raw(), p.ldc});
  Queue<Cuda>::current().ask(Multiplication<Scalar, Result>{p, computed_in<Scalar>()});
}

}  // namespace matmul

}  // namespace graft::kernels::cuda

namespace graft::kernels {

template <class Scalar>
void Matmul<Cuda, Scalar>::matmul(Product<Scalar, Cuda> const& product) {
  cuda::matmul::multiply(product);
}
template <class Scalar>
void Matmul<Cuda, Scalar>::matmul_to_sums(Product<Scalar, Cuda, SumOf<Scalar>> const& product) {
  cuda::matmul::multiply(product);
}

}  // namespace graft::kernels
