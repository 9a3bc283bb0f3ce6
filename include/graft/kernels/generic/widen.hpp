/// @file
/// @brief Conversion loops on every device.
#pragma once

#include <type_traits>

#include <graft/kernels/loops.hpp>
#include <graft/kernels/widen.hpp>

namespace graft::kernels {

namespace generic {
template <class To, class From>
GRAFT_HOST_DEVICE To converted(From x) {
  if constexpr (std::is_arithmetic_v<From>)
    return static_cast<To>(x);
  else
    return static_cast<To>(static_cast<float>(x));
}

template <class From, class To>
struct Convert {
  From const* x;
  To* y;
  GRAFT_HOST_DEVICE void operator()(Index i) const { y[i] = converted<To>(x[i]); }
};

/// `together` promises that a row's elements lie beside each other.
template <class From, class To, bool together>
struct ConvertRows {
  From const* x;
  MatrixSteps steps;
  Token const* rows;
  GRAFT_HOST_DEVICE To operator()(Index k, Index j) const {
    return converted<To>(x[rows[k] * steps.row + (together ? j : j * steps.element)]);
  }
};
template <class Device, class From, class To>
void convert_rows(char const* name, From const* x, MatrixSteps steps, Token const* rows, Index count, Index width,
                  Pointer<Device, To> y) {
  if (steps.element == 1)
    Loops<Device>::map_rows(name, count, width, y, ConvertRows<From, To, true>{x, steps, rows});
  else
    Loops<Device>::map_rows(name, count, width, y, ConvertRows<From, To, false>{x, steps, rows});
}
}  // namespace generic

template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, float const> x, Out y, Index size) {
  Loops<Device>::each("widen float", size, generic::Convert<float, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, double const> x, Out y, Index size) {
  Loops<Device>::each("widen double", size, generic::Convert<double, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, bfloat16 const> x, Out y, Index size) {
  Loops<Device>::each("widen bfloat16", size, generic::Convert<bfloat16, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, half const> x, Out y, Index size) {
  Loops<Device>::each("widen half", size, generic::Convert<half, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen_rows(Pointer<Device, float const> x, MatrixSteps steps, Rows rows, Index count,
                                   Index width, Out y) {
  generic::convert_rows<Device, float, To>("widen rows of float", raw(x), steps, raw(rows), count, width, y);
}
template <class Device, class To>
void Widen<Device, To>::widen_rows(Pointer<Device, double const> x, MatrixSteps steps, Rows rows, Index count,
                                   Index width, Out y) {
  generic::convert_rows<Device, double, To>("widen rows of double", raw(x), steps, raw(rows), count, width, y);
}
template <class Device, class To>
void Widen<Device, To>::widen_rows(Pointer<Device, bfloat16 const> x, MatrixSteps steps, Rows rows, Index count,
                                   Index width, Out y) {
  generic::convert_rows<Device, bfloat16, To>("widen rows of bfloat16", raw(x), steps, raw(rows), count, width, y);
}
template <class Device, class To>
void Widen<Device, To>::widen_rows(Pointer<Device, half const> x, MatrixSteps steps, Rows rows, Index count,
                                   Index width, Out y) {
  generic::convert_rows<Device, half, To>("widen rows of half", raw(x), steps, raw(rows), count, width, y);
}

extern template struct Widen<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Widen<Cuda, double>;

}  // namespace graft::kernels
