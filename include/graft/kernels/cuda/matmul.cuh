/// @file
/// @brief Matrix products on a GPU by cuBLAS: in the scalar's full precision, unless the program has allowed TF32; of
/// bfloat16 with sums in float32.
#pragma once

#include <graft/kernels/cuda/epilogue.cuh>
#include <graft/kernels/loops.hpp>

namespace graft::kernels::cuda {

namespace matmul {

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

/// A product as it is asked of cuBLAS.
template <class Scalar, class Result>
struct Multiplication {
  Product<Scalar, Cuda, Result> product;
  cublasComputeType_t computed;

  void operator()(cudaStream_t stream) const {
    auto const call = column_major(product);
    SumOf<Scalar> const one = 1;
    cublasStatus_t status{};
    with_library(stream, [&](Library& library) {
      status = cublasGemmEx_64(library.blas, call.first_read, call.second_read, call.rows, call.columns, call.inner,
                               &one, call.first, type_of<Scalar>, call.first_stride, call.second, type_of<Scalar>,
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
template <class Scalar>
bool Matmul<Cuda, Scalar>::matmul_with(Product<Scalar, Cuda> const& product, Epilogue<Scalar, Cuda> const& epilogue) {
  if constexpr (has_epilogues)
    return cuda::matmul::multiply_with(product, epilogue);
  else
    return false;
}

}  // namespace graft::kernels
