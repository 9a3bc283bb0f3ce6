// cuBLAS's products on the host, column-major as there, with its checks of sizes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda_runtime.h"

using cublasHandle_t = void*;
enum cublasStatus_t { CUBLAS_STATUS_SUCCESS, CUBLAS_STATUS_INVALID_VALUE };
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };

inline char const* cublasGetStatusName(cublasStatus_t status) { return status ? "CUBLAS_STATUS_INVALID_VALUE" : "CUBLAS_STATUS_SUCCESS"; }
inline char const* cublasGetStatusString(cublasStatus_t) { return "emulated"; }
inline cublasStatus_t cublasCreate(cublasHandle_t* handle) { return *handle = new char, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasDestroy(cublasHandle_t handle) { return delete static_cast<char*>(handle), CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasSetStream(cublasHandle_t, cudaStream_t stream) {
  return emulator::is_stream(stream) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

namespace emulator {

/// C = α·op(A)·op(B) + β·C; op(A) is m × k, op(B) is k × n.
template <class Scalar>
cublasStatus_t gemm(cublasOperation_t read_a, cublasOperation_t read_b, std::int64_t m, std::int64_t n, std::int64_t k, Scalar alpha, Scalar const* a,
                    std::int64_t lda, Scalar const* b, std::int64_t ldb, Scalar beta, Scalar* c, std::int64_t ldc) {
  std::int64_t const one = 1, rows_a = read_a == CUBLAS_OP_N ? m : k, rows_b = read_b == CUBLAS_OP_N ? k : n;
  if (m < 0 || n < 0 || k < 0 || lda < std::max(one, rows_a) || ldb < std::max(one, rows_b) || ldc < std::max(one, m)) return CUBLAS_STATUS_INVALID_VALUE;
  Access const access;
  for (std::int64_t j = 0; j < n; ++j)
    for (std::int64_t i = 0; i < m; ++i) {
      double sum = 0;
      for (std::int64_t p = 0; p < k; ++p)
        sum += static_cast<double>(read_a == CUBLAS_OP_N ? a[i + p * lda] : a[p + i * lda]) * static_cast<double>(read_b == CUBLAS_OP_N ? b[p + j * ldb] : b[j + p * ldb]);
      Scalar& result = c[i + j * ldc];
      Scalar const before = beta == Scalar(0) ? Scalar(0) : beta * result;
      result = before + alpha * static_cast<Scalar>(sum);
    }
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace emulator

inline cublasStatus_t cublasSgemm_64(cublasHandle_t, cublasOperation_t ra, cublasOperation_t rb, std::int64_t m, std::int64_t n, std::int64_t k, float const* alpha,
                                     float const* a, std::int64_t lda, float const* b, std::int64_t ldb, float const* beta, float* c, std::int64_t ldc) {
  return emulator::gemm(ra, rb, m, n, k, *alpha, a, lda, b, ldb, *beta, c, ldc);
}
inline cublasStatus_t cublasDgemm_64(cublasHandle_t, cublasOperation_t ra, cublasOperation_t rb, std::int64_t m, std::int64_t n, std::int64_t k, double const* alpha,
                                     double const* a, std::int64_t lda, double const* b, std::int64_t ldb, double const* beta, double* c, std::int64_t ldc) {
  return emulator::gemm(ra, rb, m, n, k, *alpha, a, lda, b, ldb, *beta, c, ldc);
}
