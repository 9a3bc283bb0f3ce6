// cuBLASLt's products with epilogues on the host, as far as graft uses them. Stricter than the real one: an algorithm is good for the problem that it was
// found for alone, addresses keep the alignment that was promised, and a reduction that is not in the type of sums rounds parts of them.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <map>

#include "cublas_v2.h"

enum cublasLtEpilogue_t : std::uint32_t {
  CUBLASLT_EPILOGUE_DEFAULT = 1,
  CUBLASLT_EPILOGUE_RELU = 2,
  CUBLASLT_EPILOGUE_BIAS = 4,
  CUBLASLT_EPILOGUE_RELU_BIAS = 6,
  CUBLASLT_EPILOGUE_GELU = 32,
  CUBLASLT_EPILOGUE_GELU_BIAS = 36,
  CUBLASLT_EPILOGUE_GELU_AUX = 160,
  CUBLASLT_EPILOGUE_GELU_AUX_BIAS = 164,
  CUBLASLT_EPILOGUE_DGELU = 192
};
enum cublasLtReductionScheme_t { CUBLASLT_REDUCTION_SCHEME_INPLACE = 1, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE = 2, CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE = 4, CUBLASLT_REDUCTION_SCHEME_MASK = 7 };
enum cublasLtMatmulDescAttributes_t {
  CUBLASLT_MATMUL_DESC_TRANSA = 3,
  CUBLASLT_MATMUL_DESC_TRANSB = 4,
  CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
  CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
  CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER = 11,
  CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD = 12
};
enum cublasLtMatmulPreferenceAttributes_t {
  CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1,
  CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK = 3,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES = 5,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES = 6,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES = 7,
  CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES = 8
};

struct cublasLtMatrixLayoutOpaque_t {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t stride;
  friend bool operator==(cublasLtMatrixLayoutOpaque_t const&, cublasLtMatrixLayoutOpaque_t const&) = default;
};
struct cublasLtMatmulDescOpaque_t {
  cublasComputeType_t computed;
  cublasOperation_t read_a, read_b;
  cublasLtEpilogue_t epilogue;
  void const* bias;
  void* auxiliary;
  std::int64_t auxiliary_stride;
};
struct cublasLtMatmulPreferenceOpaque_t {
  std::uint64_t workspace;
  std::uint32_t reductions;
  std::array<std::uint32_t, 4> alignments;  ///< of A, B, C and D
};
/// What an algorithm was found for.
struct cublasLtMatmulAlgo_t {
  cublasLtMatmulDescOpaque_t operation;
  std::array<cublasLtMatrixLayoutOpaque_t, 3> matrices;
  cublasLtMatmulPreferenceOpaque_t preference;
  std::uint32_t bias_alignment, auxiliary_alignment;
  bool rounds_parts;
};
struct cublasLtMatmulHeuristicResult_t {
  cublasLtMatmulAlgo_t algo;
  cublasStatus_t state;
};
struct cublasLtContext {};
using cublasLtHandle_t = cublasLtContext*;
using cublasLtMatrixLayout_t = cublasLtMatrixLayoutOpaque_t*;
using cublasLtMatmulDesc_t = cublasLtMatmulDescOpaque_t*;
using cublasLtMatmulPreference_t = cublasLtMatmulPreferenceOpaque_t*;

namespace emulator {

inline std::map<cublasLtEpilogue_t, int> epilogues;  ///< how many products had which
inline int heuristics = 0;                           ///< how often an algorithm was asked for
inline bool has_algorithms = true;                   ///< false: cuBLASLt supports nothing

template <class T>
cublasStatus_t read_attribute(T& to, void const* from, std::size_t bytes) {
  if (bytes != sizeof to) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&to, from, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
inline std::uint32_t alignment(void const* address) {
  auto const bits = reinterpret_cast<std::uintptr_t>(address) | 256U;
  return static_cast<std::uint32_t>(bits & (~bits + 1));
}
inline bool needs_bias(cublasLtEpilogue_t e) { return e & 4U; }
inline bool needs_auxiliary(cublasLtEpilogue_t e) { return e & 128U; }

inline float gelu(float x) { return 0.5F * x * (1 + std::tanh(0.797884561F * (x + 0.044715F * x * x * x))); }
inline float gelu_slope(float x) {
  float const t = std::tanh(0.797884561F * (x + 0.044715F * x * x * x));
  return 0.5F * (1 + t) + 0.5F * x * (1 - t * t) * 0.797884561F * (1 + 3 * 0.044715F * x * x);
}
/// The bias, the input of a GELU, then the function, on each sum of D. ReLU makes 0 of a NaN, as the real one does.
template <class Result>
float finish(float sum, std::int64_t i, std::int64_t j, cublasLtMatmulDescOpaque_t const& o) {
  if (needs_bias(o.epilogue)) sum += static_cast<float>(number(static_cast<Result const*>(o.bias)[i]));
  if (needs_auxiliary(o.epilogue)) {
    Result& auxiliary = static_cast<Result*>(o.auxiliary)[i + j * o.auxiliary_stride];
    if (o.epilogue == CUBLASLT_EPILOGUE_DGELU) return sum * gelu_slope(static_cast<float>(number(auxiliary)));
    auxiliary = static_cast<Result>(sum);
  }
  if (o.epilogue & 32U) return gelu(sum);
  return o.epilogue & 2U ? std::fmax(sum, 0.F) : sum;
}

/// Sums in float32, in memory of the host's, then the epilogue.
template <class Operand>
void multiply(Gemm g, cublasLtMatmulDescOpaque_t const& o, bool rounds_parts) {
  auto* const result = static_cast<Operand*>(g.c);
  std::int64_t const stride = g.ldc, half = rounds_parts ? g.k / 2 : 0;
  std::vector<float> sums(static_cast<std::size_t>(g.m * g.n));
  g.c = sums.data(), g.ldc = g.m;
  bool const tf32 = o.computed == CUBLAS_COMPUTE_32F_FAST_TF32;
  Gemm first = g;
  first.k = half;
  multiply<Operand, float>(first, 1.F, 0.F, tf32, false);
  for (float& sum : sums) sum = static_cast<float>(number(static_cast<Operand>(sum)));
  g.a = static_cast<Operand const*>(g.a) + half * (g.read_a == CUBLAS_OP_N ? g.lda : 1);
  g.b = static_cast<Operand const*>(g.b) + half * (g.read_b == CUBLAS_OP_N ? 1 : g.ldb);
  g.k -= half;
  multiply<Operand, float>(g, 1.F, 1.F, tf32, false);
  for (std::int64_t j = 0; j < g.n; ++j)
    for (std::int64_t i = 0; i < g.m; ++i) result[i + j * stride] = static_cast<Operand>(finish<Operand>(sums[static_cast<std::size_t>(i + j * g.m)], i, j, o));
}

}  // namespace emulator

inline cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) { return *handle = new cublasLtContext, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return delete handle, CUBLAS_STATUS_SUCCESS; }
inline cublasStatus_t cublasLtMatrixLayoutInit(cublasLtMatrixLayout_t matrix, cudaDataType_t type, std::uint64_t rows, std::uint64_t columns, std::int64_t stride) {
  return *matrix = {type, rows, columns, stride}, CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescInit(cublasLtMatmulDesc_t operation, cublasComputeType_t computed, cudaDataType_t scale) {
  *operation = {computed, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr, nullptr, 0};
  return scale == CUDA_R_32F ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
inline cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t o, cublasLtMatmulDescAttributes_t which, void const* from, std::size_t bytes) {
  using emulator::read_attribute;
  switch (which) {
    case CUBLASLT_MATMUL_DESC_TRANSA: return read_attribute(o->read_a, from, bytes);
    case CUBLASLT_MATMUL_DESC_TRANSB: return read_attribute(o->read_b, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE: return read_attribute(o->epilogue, from, bytes);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return read_attribute(o->bias, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER: return read_attribute(o->auxiliary, from, bytes);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD: return read_attribute(o->auxiliary_stride, from, bytes);
  }
  return CUBLAS_STATUS_INVALID_VALUE;
}
inline cublasStatus_t cublasLtMatmulPreferenceInit(cublasLtMatmulPreference_t preference) {
  return *preference = {0, CUBLASLT_REDUCTION_SCHEME_MASK, {256, 256, 256, 256}}, CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p, cublasLtMatmulPreferenceAttributes_t which, void const* from, std::size_t bytes) {
  if (which == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return emulator::read_attribute(p->workspace, from, bytes);
  if (which == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK) return emulator::read_attribute(p->reductions, from, bytes);
  return emulator::read_attribute(p->alignments.at(static_cast<std::size_t>(which - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES)), from, bytes);
}

/// The combinations of types that graft asks for; bias and auxiliary matrix have D's type. The real one has more.
inline cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t o, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                                     cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference, int wanted, cublasLtMatmulHeuristicResult_t* found,
                                                     int* count) {
  ++emulator::heuristics;
  *count = 0;
  auto const rows = [](cublasLtMatrixLayout_t matrix, cublasOperation_t read) { return read == CUBLAS_OP_N ? matrix->rows : matrix->columns; };
  auto const columns = [](cublasLtMatrixLayout_t matrix, cublasOperation_t read) { return read == CUBLAS_OP_N ? matrix->columns : matrix->rows; };
  if (wanted < 1 || rows(a, o->read_a) != d->rows || columns(b, o->read_b) != d->columns || columns(a, o->read_a) != rows(b, o->read_b) || !(*c == *d))
    return CUBLAS_STATUS_INVALID_VALUE;
  for (auto const* matrix : {a, b, d})
    if (matrix->rows == 0 || matrix->columns == 0 || matrix->stride < static_cast<std::int64_t>(matrix->rows)) return CUBLAS_STATUS_INVALID_VALUE;
  if (emulator::needs_bias(o->epilogue) && !o->bias) return CUBLAS_STATUS_INVALID_VALUE;
  if (emulator::needs_auxiliary(o->epilogue) && (!o->auxiliary || o->auxiliary_stride < static_cast<std::int64_t>(d->rows) || o->auxiliary_stride % 8 != 0))
    return CUBLAS_STATUS_INVALID_VALUE;
  bool const floats = a->type == CUDA_R_32F && (o->computed == CUBLAS_COMPUTE_32F || o->computed == CUBLAS_COMPUTE_32F_FAST_TF32);
  if (a->type != b->type || a->type != d->type || !(floats || (a->type == CUDA_R_16BF && o->computed == CUBLAS_COMPUTE_32F))) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (!emulator::has_algorithms || (emulator::needs_auxiliary(o->epilogue) && emulator::alignment(o->auxiliary) < 16)) return CUBLAS_STATUS_NOT_SUPPORTED;
  bool const rounds = preference->reductions & (CUBLASLT_REDUCTION_SCHEME_INPLACE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE);
  found->algo = {*o, {*a, *b, *d}, *preference, emulator::alignment(o->bias), emulator::alignment(o->auxiliary), rounds};
  found->state = CUBLAS_STATUS_SUCCESS;
  return *count = 1, CUBLAS_STATUS_SUCCESS;
}

inline cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t o, void const* alpha, void const* a, cublasLtMatrixLayout_t layout_a, void const* b,
                                     cublasLtMatrixLayout_t layout_b, void const* beta, void const* c, cublasLtMatrixLayout_t layout_c, void* d, cublasLtMatrixLayout_t layout_d,
                                     cublasLtMatmulAlgo_t const* algorithm, void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  if (!algorithm || !emulator::is_stream(stream)) return CUBLAS_STATUS_INVALID_VALUE;
  auto const& [operation, matrices, preference, bias_alignment, auxiliary_alignment, rounds] = *algorithm;
  if (*static_cast<float const*>(alpha) != 1 || *static_cast<float const*>(beta) != 0 || c != d || !(*layout_c == *layout_d)) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (!(matrices[0] == *layout_a && matrices[1] == *layout_b && matrices[2] == *layout_d) || operation.computed != o->computed || operation.read_a != o->read_a ||
      operation.read_b != o->read_b || operation.epilogue != o->epilogue || operation.auxiliary_stride != o->auxiliary_stride)
    return CUBLAS_STATUS_INVALID_VALUE;
  void const* const addresses[] = {a, b, c, d};
  for (std::size_t i = 0; i < 4; ++i)
    if (emulator::alignment(addresses[i]) < preference.alignments[i]) return CUBLAS_STATUS_INVALID_VALUE;
  if (emulator::alignment(o->bias) < bias_alignment || emulator::alignment(o->auxiliary) < auxiliary_alignment) return CUBLAS_STATUS_INVALID_VALUE;
  if (workspace_bytes < preference.workspace || !emulator::DeviceMemory::instance().owns(workspace, workspace_bytes) || emulator::alignment(workspace) < 256)
    return CUBLAS_STATUS_INVALID_VALUE;
  ++emulator::epilogues[o->epilogue];
  bool const narrow = layout_a->type == CUDA_R_16BF;
  emulator::gemms_of_bfloat16 += narrow;
  std::int64_t const inner = static_cast<std::int64_t>(o->read_a == CUBLAS_OP_N ? layout_a->columns : layout_a->rows);
  emulator::Gemm const g{o->read_a, o->read_b, static_cast<std::int64_t>(layout_d->rows), static_cast<std::int64_t>(layout_d->columns), inner, a, layout_a->stride, b, layout_b->stride, d, layout_d->stride};
  emulator::ask(stream, [g, operation = *o, rounds = rounds, narrow] {
    if (narrow)
      emulator::multiply<graft::bfloat16>(g, operation, rounds);
    else
      emulator::multiply<float>(g, operation, false);
  });
  return CUBLAS_STATUS_SUCCESS;
}
