// cuBLAS's products on the host, column-major as there, with its checks of sizes and types.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <graft/core/dtype.hpp>

#include "cuda_runtime.h"

enum cudaDataType_t { CUDA_R_32F = 0, CUDA_R_64F = 1, CUDA_R_16BF = 14 };
enum cublasStatus_t { CUBLAS_STATUS_SUCCESS = 0, CUBLAS_STATUS_INVALID_VALUE = 7, CUBLAS_STATUS_NOT_SUPPORTED = 15 };
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };
enum cublasMath_t { CUBLAS_DEFAULT_MATH = 0, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16 };
enum cublasComputeType_t { CUBLAS_COMPUTE_32F = 68, CUBLAS_COMPUTE_64F = 70, CUBLAS_COMPUTE_32F_FAST_TF32 = 77 };
enum cublasGemmAlgo_t { CUBLAS_GEMM_DEFAULT = -1 };
struct cublasContext {
  cublasMath_t mode = CUBLAS_DEFAULT_MATH;
  cudaStream_t stream{};
  void* workspace{};
};
using cublasHandle_t = cublasContext*;

inline char const* cublasGetStatusName(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS         ? "CUBLAS_STATUS_SUCCESS"
         : status == CUBLAS_STATUS_INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE"
                                                 : "CUBLAS_STATUS_NOT_SUPPORTED";
}
inline char const* cublasGetStatusString(cublasStatus_t) { return "emulated"; }
inline cublasStatus_t cublasCreate(cublasHandle_t* handle) { return *handle = new cublasContext, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasDestroy(cublasHandle_t handle) { return delete handle, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace = nullptr;  // the one that cuBLAS has for streams
  return emulator::is_stream(stream) ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
inline cublasStatus_t cublasSetWorkspace(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  if (!emulator::DeviceMemory::instance().owns(workspace, bytes)) return CUBLAS_STATUS_INVALID_VALUE;
  return handle->workspace = workspace, CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) { return handle->mode = mode, CUBLAS_STATUS_SUCCESS; }

namespace emulator {

/// C = α·op(A)·op(B) + β·C; op(A) is m × k, op(B) is k × n; lengths of columns are the distances between them.
struct Gemm {
  cublasOperation_t read_a, read_b;
  std::int64_t m, n, k;
  void const* a;
  std::int64_t lda;
  void const* b;
  std::int64_t ldb;
  void* c;
  std::int64_t ldc;
};
inline int gemms_of_bfloat16 = 0;  ///< how many had operands in bfloat16

inline double number(double x) { return x; }
inline double number(float x) { return x; }
inline double number(graft::bfloat16 x) { return static_cast<float>(x); }
/// With 10 bits of fraction, as tensor cores read float32 where they may.
inline double in_tf32(double x) {
  float const value = static_cast<float>(x);
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, 4);
  bits = (bits + 0x1000) & ~0x1fffU;
  float rounded = 0;
  std::memcpy(&rounded, &bits, 4);
  return rounded;
}

/// Sums have the type of α and β. Those of a result in bfloat16 may be rounded half-way, unless the mode forbids it.
template <class Operand, class Result, class Sum>
void multiply(Gemm const& g, Sum alpha, Sum beta, bool tf32, bool rounds_parts) {
  auto const* const a = static_cast<Operand const*>(g.a);
  auto const* const b = static_cast<Operand const*>(g.b);
  auto* const c = static_cast<Result*>(g.c);
  auto const read = [&](Operand x) { return tf32 ? in_tf32(number(x)) : number(x); };
  for (std::int64_t j = 0; j < g.n; ++j)
    for (std::int64_t i = 0; i < g.m; ++i) {
      double sum = 0;
      for (std::int64_t p = 0; p < g.k; ++p) {
        if (rounds_parts && p == g.k / 2) sum = number(static_cast<Result>(static_cast<Sum>(sum)));
        sum += read(g.read_a == CUBLAS_OP_N ? a[i + p * g.lda] : a[p + i * g.lda]) * read(g.read_b == CUBLAS_OP_N ? b[p + j * g.ldb] : b[j + p * g.ldb]);
      }
      Result& result = c[i + j * g.ldc];
      Sum const before = beta == Sum(0) ? Sum(0) : beta * static_cast<Sum>(number(result));
      result = static_cast<Result>(before + alpha * static_cast<Sum>(sum));
    }
}
template <class Operand, class Result, class Sum>
cublasStatus_t gemm(cublasHandle_t handle, Gemm const& g, Sum alpha, Sum beta, bool tf32, bool rounds_parts) {
  if (is_capturing(handle->stream) && !handle->workspace) return CUBLAS_STATUS_NOT_SUPPORTED;  // the graph would own one
  ask(handle->stream, [=] { multiply<Operand, Result>(g, alpha, beta, tf32, rounds_parts); });
  return CUBLAS_STATUS_SUCCESS;
}

}  // namespace emulator

/// The combinations of types that graft asks for; cuBLAS has more.
inline cublasStatus_t cublasGemmEx_64(cublasHandle_t handle, cublasOperation_t ra, cublasOperation_t rb, std::int64_t m, std::int64_t n, std::int64_t k, void const* alpha,
                                      void const* a, cudaDataType_t type_a, std::int64_t lda, void const* b, cudaDataType_t type_b, std::int64_t ldb, void const* beta,
                                      void* c, cudaDataType_t type_c, std::int64_t ldc, cublasComputeType_t computed, cublasGemmAlgo_t) {
  std::int64_t const one = 1, rows_a = ra == CUBLAS_OP_N ? m : k, rows_b = rb == CUBLAS_OP_N ? k : n;
  if (m < 0 || n < 0 || k < 0 || lda < std::max(one, rows_a) || ldb < std::max(one, rows_b) || ldc < std::max(one, m)) return CUBLAS_STATUS_INVALID_VALUE;
  emulator::Gemm const g{ra, rb, m, n, k, a, lda, b, ldb, c, ldc};
  auto const f = [](void const* factor) { return *static_cast<float const*>(factor); };
  auto const d = [](void const* factor) { return *static_cast<double const*>(factor); };
  bool const rounds_parts = !(handle->mode & CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
  if (type_a != type_b) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (type_a == CUDA_R_64F && type_c == CUDA_R_64F && computed == CUBLAS_COMPUTE_64F)
    return emulator::gemm<double, double>(handle, g, d(alpha), d(beta), false, false);
  if (type_a == CUDA_R_32F && type_c == CUDA_R_32F && (computed == CUBLAS_COMPUTE_32F || computed == CUBLAS_COMPUTE_32F_FAST_TF32))
    return emulator::gemm<float, float>(handle, g, f(alpha), f(beta), computed == CUBLAS_COMPUTE_32F_FAST_TF32, false);
  if (type_a != CUDA_R_16BF || computed != CUBLAS_COMPUTE_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  ++emulator::gemms_of_bfloat16;
  if (type_c == CUDA_R_32F) return emulator::gemm<graft::bfloat16, float>(handle, g, f(alpha), f(beta), false, false);
  if (type_c == CUDA_R_16BF) return emulator::gemm<graft::bfloat16, graft::bfloat16>(handle, g, f(alpha), f(beta), false, rounds_parts);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
