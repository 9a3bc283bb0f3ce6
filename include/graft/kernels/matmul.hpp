/// @file
/// @brief Matrix products: C = β·C + op(A)·op(B), row-major.
#pragma once

#include <type_traits>

#include <graft/kernels/epilogue.hpp>
#include <graft/kernels/matmul_operands.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Matmul {
  static_assert(implemented<Device>, "the kernel Matmul does not exist for this device yet");
};

template <class Scalar>
struct Matmul<Cpu, Scalar> {
  using Function = void (*)(Product<Scalar> const&);
  /// C = β·C + op(A)·op(B). The same bits for any number of threads.
  static void matmul(Product<Scalar> const& product) { function()(product); }
  /// What carries out every product on the host: our own function. A program may put another one, of another library,
  /// in its place before the first product.
  static Function& function();
  /// Our own function.
  static Function own();
};

template <class Scalar>
struct Matmul<Cuda, Scalar> {
  static constexpr bool narrow = true;
  /// The same by cuBLAS, the same bits every time. In the scalar's full precision, unless the program has allowed TF32
  /// for float32 (kernels/tf32.hpp). Products of bfloat16 are exact and summed in float32; each sum is rounded once.
  static void matmul(Product<Scalar, Cuda> const& product);
  /// The same with C in the type that sums are formed in: none is rounded.
  static void matmul_to_sums(Product<Scalar, Cuda, SumOf<Scalar>> const& product);
  /// Whether some products of these numbers have an epilogue.
  static constexpr bool has_epilogues = !std::is_same_v<Scalar, double>;
  /// Whether a product can go on to f in the same kernel.
  static constexpr bool fuses(graft::Activation f) {
    return has_epilogues && (f == graft::Activation::gelu_tanh || f == graft::Activation::relu);
  }
  /// A product with β = 0 and its epilogue in one kernel of cuBLASLt's, which rounds once. False where it has none for
  /// them: then nothing has been computed. `Epilogue::input` is another array than C.
  [[nodiscard]] static bool matmul_with(Product<Scalar, Cuda> const& product, Epilogue<Scalar, Cuda> const& epilogue);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/matmul.hpp>
#endif
