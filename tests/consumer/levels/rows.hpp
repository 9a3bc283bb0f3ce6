// Norms, activations, losses, positions and the other kernels that go along rows.
#pragma once

#include <graft/kernels/activation.hpp>
#include <graft/kernels/bias.hpp>
#include <graft/kernels/cross_entropy.hpp>
#include <graft/kernels/dropout.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/gather.hpp>
#include <graft/kernels/lstm.hpp>
#include <graft/kernels/norm.hpp>
#include <graft/kernels/rotary.hpp>
#include <graft/kernels/scale_columns.hpp>

#include "numbers.hpp"

template <template <class, class> class Kernel, class Scalar>
using OnHost = graft::kernels::On<graft::Cpu, Kernel, Scalar>;

template <class Scalar>
void go_along_rows() {
  using namespace graft::kernels;
  constexpr Index rows = 7, width = 95, size = rows * width;
  auto const x = normal<Scalar>(size, 20), dy = normal<Scalar>(size, 21), gain = normal<Scalar>(width, 22);
  std::vector<Scalar> y(x.size()), z(x.size()), mean(rows), inverse(rows), sums(width);

  OnHost<Norm, Scalar>::norm(x.data(), gain.data(), gain.data(), Scalar(1e-5), rows, width, y.data(), mean.data(),
                             inverse.data());
  print("norm", y);
  OnHost<Norm, Scalar>::norm_backward(x.data(), mean.data(), inverse.data(), gain.data(), dy.data(), rows, width,
                                      y.data());
  print("norm_backward", y);
  OnHost<Norm, Scalar>::norm_gain_gradient(x.data(), mean.data(), inverse.data(), dy.data(), rows, width, sums.data());
  print("norm_gain", sums);
  for (auto const f : {graft::Activation::gelu, graft::Activation::gelu_tanh, graft::Activation::silu,
                       graft::Activation::relu, graft::Activation::tanh}) {
    OnHost<Activation, Scalar>::activate(f, x.data(), y.data(), size);
    print("activation", y);
    OnHost<Activation, Scalar>::gated_backward(f, x.data(), dy.data(), dy.data(), y.data(), z.data(), size);
    print("gated_backward", y);
  }
  OnHost<Bias, Scalar>::add_bias(x.data(), gain.data(), rows, width, y.data());
  OnHost<ScaleColumns, Scalar>::scale_columns(y.data(), gain.data(), rows, width, z.data());
  print("bias_scale_columns", z);
  OnHost<ScaleColumns, Scalar>::scale_columns_gain_gradient(x.data(), dy.data(), rows, width, sums.data());
  print("gain", sums);
  OnHost<Elementwise, Scalar>::multiply(x.data(), dy.data(), y.data(), size);
  print("elementwise", y);

  constexpr Index tokens = 5, half = 9, heads = 1;
  std::vector<double> frequencies(half);
  for (std::size_t i = 0; i < half; ++i) frequencies[i] = 1.0 / static_cast<double>(1 + i * i);
  std::vector<Scalar> table(tokens * 2 * half);
  std::vector<Index> const positions{4, 3, 2, 1, 0};
  OnHost<Rotary, Scalar>::rotary_table(frequencies.data(), half, 0, tokens, table.data());
  OnHost<Rotary, Scalar>::rotate(x.data(), table.data(), positions.data(), Scalar(1), tokens, heads, width, half,
                                 y.data());
  print("rotary", y);

  std::vector<graft::Token> const labels{3, 94, 0, 50, 7, 1, 33};
  std::vector<Scalar> largest(rows, Scalar(-1e30)), sum(rows), total(rows), logit(rows), reciprocal(rows);
  SoftmaxRows<Scalar> const known{largest.data(), sum.data(), total.data(), logit.data()};
  y = x;
  OnHost<CrossEntropy, Scalar>::softmax_block(y.data(), rows, width, 0, labels.data(), known, reciprocal.data());
  print("softmax", y);
  OnHost<CrossEntropy, Scalar>::softmax_end(known, rows, width, reciprocal.data());
  print("log_probability", logit);
  y = x;
  OnHost<CrossEntropy, Scalar>::cross_entropy_gradient(y.data(), rows, width, 0, labels.data(), largest.data(),
                                                       gain.data());
  print("cross_entropy_gradient", y);

  std::vector<Index> const offsets{0, 3, rows};
  std::vector<std::uint64_t> const addresses{5, 2};
  KeyedRows<graft::Cpu> const keyed{offsets.data(), addresses.data(), 2, rows, graft::RandomKey(1)};
  OnHost<Dropout, Scalar>::dropout(x.data(), keyed, 1U << 30, Scalar(4.0 / 3), width, y.data());
  print("dropout", y);
  std::vector<Index> const from{6, 0, 3, 3}, to{0, 2, 2, 5};
  y = dy;
  OnHost<Gather, Scalar>::add_rows(x.data(), from.data(), y.data(), to.data(), false, 4, width);
  print("gather", y);

  constexpr Index hidden = 90;
  auto gates = normal<Scalar>(4 * hidden, 23);
  std::vector<Scalar> cell(hidden), out(hidden), dcell(hidden), dgates(gates.size());
  OnHost<Lstm, Scalar>::lstm_step(gates.data(), x.data(), hidden, cell.data(), out.data());
  print("lstm", out);
  OnHost<Lstm, Scalar>::lstm_step_backward(gates.data(), x.data(), cell.data(), dy.data(), nullptr, hidden,
                                           dcell.data(), dgates.data());
  print("lstm_backward", dgates);
}
