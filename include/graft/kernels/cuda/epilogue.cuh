/// @file
/// @brief Products with an epilogue on a GPU, by cuBLASLt.
#pragma once

#include <cstdint>

#include <graft/kernels/cuda/blas.cuh>

namespace graft::kernels::cuda::matmul {

/// cuBLASLt's name for what follows the product; CUBLASLT_EPILOGUE_DEFAULT where it has none, or none that suits. Its
/// GELU is the one with tanh. Its ReLU passes no sums on: the gradient is determined by the result.
template <class Scalar>
cublasLtEpilogue_t lt_epilogue(Epilogue<Scalar, Cuda> const& e) {
  using graft::Activation;
  bool const bias = static_cast<bool>(e.bias), input = static_cast<bool>(e.input);
  if (e.slope_at)
    return e.activation == Activation::gelu_tanh && !bias && !input ? CUBLASLT_EPILOGUE_DGELU
                                                                    : CUBLASLT_EPILOGUE_DEFAULT;
  if (!e.activation) return bias && !input ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  if (e.activation == Activation::relu && !input) return bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
  if (e.activation != Activation::gelu_tanh) return CUBLASLT_EPILOGUE_DEFAULT;
  if (input) return bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
  return bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
}

/// What an address is a multiple of, in bytes: a power of two up to 256, which is all that cuBLASLt makes use of.
inline std::uint32_t alignment_of(void const* address) {
  auto const bits = reinterpret_cast<std::uintptr_t>(address) | 256U;
  return static_cast<std::uint32_t>(bits & (~bits + 1));
}

/// One product as cuBLASLt is asked for it.
template <class Scalar>
struct LtCall {
  ColumnMajor<Scalar> operands;
  Scalar* result;
  std::int64_t result_stride;
  cublasLtEpilogue_t epilogue;
  Scalar const *bias, *auxiliary;
  cublasComputeType_t computed = computed_in<Scalar>();

  [[nodiscard]] LtPlans::Key key() const {
    auto const& o = operands;
    return {o.rows,
            o.columns,
            o.inner,
            o.first_read,
            o.second_read,
            o.first_stride,
            o.second_stride,
            result_stride,
            type_of<Scalar>,
            computed,
            epilogue,
            alignment_of(o.first),
            alignment_of(o.second),
            alignment_of(result),
            alignment_of(bias),
            alignment_of(auxiliary)};
  }
  template <class Value>
  static void set(LtPlan& plan, cublasLtMatmulDescAttributes_t attribute, Value const& value) {
    check(cublasLtMatmulDescSetAttribute(&plan.operation, attribute, &value, sizeof value),
          "cublasLtMatmulDescSetAttribute", " for the attribute ", static_cast<int>(attribute));
  }
  /// The vector and the matrix beside the operands: the one thing in which products with one plan differ.
  void set_addresses(LtPlan& plan) const {
    if (bias) set(plan, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    if (auxiliary) set(plan, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, auxiliary);
  }
  void describe(LtPlan& plan) const {
    auto const& o = operands;
    auto const layout = [](cublasLtMatrixLayoutOpaque_t& matrix, std::int64_t rows, std::int64_t columns,
                           std::int64_t stride) {
      check(cublasLtMatrixLayoutInit(&matrix, type_of<Scalar>, static_cast<std::uint64_t>(rows),
                                     static_cast<std::uint64_t>(columns), stride),
            "cublasLtMatrixLayoutInit", " for ", rows, " rows and ", columns, " columns");
    };
    bool const first = o.first_read == CUBLAS_OP_N, second = o.second_read == CUBLAS_OP_N;
    layout(plan.first, first ? o.rows : o.inner, first ? o.inner : o.rows, o.first_stride);
    layout(plan.second, second ? o.inner : o.columns, second ? o.columns : o.inner, o.second_stride);
    layout(plan.result, o.rows, o.columns, result_stride);
    check(cublasLtMatmulDescInit(&plan.operation, computed, CUDA_R_32F), "cublasLtMatmulDescInit");
    set(plan, CUBLASLT_MATMUL_DESC_TRANSA, o.first_read);
    set(plan, CUBLASLT_MATMUL_DESC_TRANSB, o.second_read);
    set(plan, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    if (auxiliary) set(plan, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, o.rows);
    set_addresses(plan);
  }
  /// Sums that several blocks of threads share are added in the type they are computed in, and by a step of their own:
  /// in an order that the shape decides.
  void choose(Library const& library, LtPlan& plan) const {
    describe(plan);
    cublasLtMatmulPreferenceOpaque_t preference{};
    check(cublasLtMatmulPreferenceInit(&preference), "cublasLtMatmulPreferenceInit");
    auto const prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
      check(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof value),
            "cublasLtMatmulPreferenceSetAttribute", " for the attribute ", static_cast<int>(attribute));
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<std::uint64_t>(library.workspace_bytes));
    prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
           static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(operands.first));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(operands.second));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(result));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(result));
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    cublasStatus_t const status =
        cublasLtMatmulAlgoGetHeuristic(library.lt, &plan.operation, &plan.first, &plan.second, &plan.result,
                                       &plan.result, &preference, 1, &found, &count);
    plan.has_algorithm = status == CUBLAS_STATUS_SUCCESS && count == 1 && found.state == CUBLAS_STATUS_SUCCESS;
    plan.algorithm = found.algo;
    if (status != CUBLAS_STATUS_NOT_SUPPORTED && status != CUBLAS_STATUS_INVALID_VALUE)  // these: of such operands
      check(status, "cublasLtMatmulAlgoGetHeuristic");
  }
  [[nodiscard]] LtPlan& plan(Library& library) const {
    library.need_lt();
    return library.plans.at(key(), [&](LtPlan& fresh) { choose(library, fresh); });
  }
  void operator()(cudaStream_t stream) const {
    with_library(stream, [&](Library& library) {
      LtPlan& own = plan(library);
      set_addresses(own);
      float const one = 1, zero = 0;
      check(cublasLtMatmul(library.lt, &own.operation, &one, operands.first, &own.first, operands.second, &own.second,
                           &zero, result, &own.result, result, &own.result, &own.algorithm, library.workspace,
                           library.workspace_bytes, stream),
            "cublasLtMatmul", " for [", operands.columns, ", ", operands.inner, "] by [", operands.inner, ", ",
            operands.rows, "]");
    });
  }
};

template <class Scalar>
bool multiply_with(Product<Scalar, Cuda> const& p, Epilogue<Scalar, Cuda> const& e) {
  cublasLtEpilogue_t const epilogue = lt_epilogue(e);
  if (epilogue == CUBLASLT_EPILOGUE_DEFAULT || p.beta != 0 || p.k <= 0) return false;
  if (p.m <= 0 || p.n <= 0) return true;
  Scalar const* const auxiliary = e.slope_at ? e.slope_at.raw() : e.input.raw();
  if (auxiliary && (p.n % 8 != 0 || alignment_of(auxiliary) < 16)) return false;  // what cuBLASLt asks of it
  LtCall<Scalar> const call{column_major(p), p.c.raw(), p.ldc, epilogue, e.bias.raw(), auxiliary};
  bool there = false;
  with_library([&](Library& library) { there = call.plan(library).has_algorithm; });
  if (there) Queue<Cuda>::current().ask(call);
  return there;
}

}  // namespace graft::kernels::cuda::matmul
