/// @file
/// @brief Norms over rows of bfloat16: statistics, gain and bias are float32.
#pragma once

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/norm.hpp>

namespace graft::kernels {

template <>
struct Norm<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  using Wide = Norm<Cpu, float>;
  using Widened = bfloat16_operands::Widened;
  using Rounded = bfloat16_operands::Rounded;

  static void norm(bfloat16 const* x, float const* gain, float const* bias, float epsilon, Index rows, Index width,
                   bfloat16* y, float* mean, float* inverse) {
    Rounded const result(y, rows * width);
    Wide::norm(Widened(x, rows * width), gain, bias, epsilon, rows, width, result, mean, inverse);
    result.store();
  }
  static void norm_backward(bfloat16 const* x, float const* mean, float const* inverse, float const* gain,
                            bfloat16 const* dy, Index rows, Index width, bfloat16* dx) {
    Rounded const result(dx, rows * width);
    Wide::norm_backward(Widened(x, rows * width), mean, inverse, gain, Widened(dy, rows * width), rows, width, result);
    result.store();
  }
  static void norm_gain_gradient(bfloat16 const* x, float const* mean, float const* inverse, bfloat16 const* dy,
                                 Index rows, Index width, float* dgain) {
    Wide::norm_gain_gradient(Widened(x, rows * width), mean, inverse, Widened(dy, rows * width), rows, width, dgain);
  }
};

}  // namespace graft::kernels
