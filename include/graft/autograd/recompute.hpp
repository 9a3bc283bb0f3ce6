/// @file
/// @brief y = f(x) of which the tape keeps x alone (activation checkpointing; Chen et al. 2016, arXiv 1604.06174).
#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include <graft/autograd/variable.hpp>

namespace graft {

/// What `recompute` is given.
template <class Scalar, class Device = Cpu>
using Recomputed = std::function<Variable<Scalar, Device>(Variable<Scalar, Device> const& x, bool again)>;

/// The same value and gradients as `f(x)`, bit for bit where nobody but `f` reads x. What `f` records is forgotten once
/// its value is there; the reverse pass calls `f` again, goes back through that recording, and passes the gradient of x
/// on. `f` must compute the same whenever it is called (random numbers are addressed, so dropout does) and must own
/// what it uses: it lives as long as the record. Parameters and recorded results that `f` captures get their gradients
/// as usual.
/// @param f of x, and whether it is called again, by the reverse pass: what it records then must be the same, but its
/// value is not read and need not be computed
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> recompute(Variable<Scalar, Device> const& x,
                                                 std::type_identity_t<Recomputed<Scalar, Device>> f) {
  using Value = Variable<Scalar, Device>;
  if (!Tape::current().recording()) return f(x, false);
  bool tracked = false;
  Tensor<Scalar, Device> y;
  {
    Recording const forgotten;
    Value const once = f(x, false);
    tracked = once.tracked();
    y = once.value();
  }
  if (!tracked) return y;
  return record(std::move(y), [x, f = std::move(f)](Tensor<Scalar, Device> dy) {
    Recording const recording;
    Value const input = x.tracked() ? Value(x.value(), std::make_shared<GradientSlot<Scalar, Device>>()) : x;
    backward_from(f(input, true), std::move(dy), recording.first());
    if (x.tracked() && !input.slot()->empty()) x.slot()->accumulate(input.slot()->take_sum());
  });
}

/// The same with an `f` that computes all there is both times.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> recompute(
    Variable<Scalar, Device> const& x,
    std::type_identity_t<std::function<Variable<Scalar, Device>(Variable<Scalar, Device> const&)>> f) {
  return recompute(x, [f = std::move(f)](Variable<Scalar, Device> const& input, bool) { return f(input); });
}

}  // namespace graft
