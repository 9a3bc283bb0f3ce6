/// @file
/// @brief y = f(a, b) over whole arrays of bfloat16: computed in float32, rounded once.
#pragma once

#include <graft/kernels/bfloat16/operands.hpp>
#include <graft/kernels/elementwise.hpp>

namespace graft::kernels {

template <>
struct Elementwise<Cpu, bfloat16> {
  static constexpr bool narrow = true;
  static void fill(bfloat16* y, bfloat16 value, Index size) {
    each(size, [=](Index i) { y[i] = value; });
  }
  static void add(bfloat16 const* a, bfloat16 const* b, bfloat16* y, Index size) {
    each(size, [=](Index i) { y[i] = bfloat16(static_cast<float>(a[i]) + static_cast<float>(b[i])); });
  }
  static void scale(bfloat16 const* a, float factor, bfloat16* y, Index size) {
    each(size, [=](Index i) { y[i] = bfloat16(factor * static_cast<float>(a[i])); });
  }
  static void multiply(bfloat16 const* a, bfloat16 const* b, bfloat16* y, Index size) {
    each(size, [=](Index i) { y[i] = bfloat16(static_cast<float>(a[i]) * static_cast<float>(b[i])); });
  }
  static void add_scaled(bfloat16 const* a, float factor, bfloat16* y, Index size) {
    each(size, [=](Index i) { y[i] = bfloat16(static_cast<float>(y[i]) + factor * static_cast<float>(a[i])); });
  }

 private:
  template <class F>
  static void each(Index size, F const& f) {
    parallel_chunks(size, bfloat16_operands::chunk, [&](Index first, Index last) {
      for (Index i = first; i < last; ++i) f(i);
    });
  }
};

}  // namespace graft::kernels
