/// @file
/// @brief y = f(x) of which the tape keeps x alone (activation checkpointing; Chen et al. 2016, arXiv 1604.06174).
#pragma once

#include <memory>
#include <utility>

#include <graft/autograd/variable.hpp>

namespace graft {

/// The same value and, bit for bit, the same gradients as `f(x)`. What `f` records is forgotten once its value is there; the reverse pass
/// calls `f` again, goes back through that recording, and passes the gradient of x on. `f` must compute the same whenever it is called
/// (random numbers are addressed, so dropout does) and must own what it uses: it lives as long as the record. Parameters and recorded
/// results that `f` captures get their gradients as usual.
/// @param again what the reverse pass calls: it records what `f` records, but its value is not read and need not be computed
template <class Scalar, class Device, class F, class Again>
[[nodiscard]] Variable<Scalar, Device> recompute(Variable<Scalar, Device> const& x, F const& f, Again again) {
  using Value = Variable<Scalar, Device>;
  if (!Tape::current().recording()) return f(x);
  bool tracked = false;
  Tensor<Scalar, Device> y;
  {
    Recording const forgotten;
    Value const once = f(x);
    tracked = once.tracked();
    y = once.value();
  }
  if (!tracked) return y;
  return record(std::move(y), [x, again = std::move(again)](Tensor<Scalar, Device> dy) {
    Recording const recording;
    Value const input = x.tracked() ? Value(x.value(), std::make_shared<GradientSlot<Scalar, Device>>()) : x;
    backward_from(again(input), std::move(dy), recording.first());
    if (x.tracked() && !input.slot()->empty()) x.slot()->accumulate(input.slot()->take_sum());
  });
}

/// The same with `f` for both.
template <class Scalar, class Device, class F>
[[nodiscard]] Variable<Scalar, Device> recompute(Variable<Scalar, Device> const& x, F f) {
  return recompute(x, f, f);
}

}  // namespace graft
