/// @file
/// @brief A long short-term memory network over one sequence (Hochreiter & Schmidhuber
/// 1997; Gers et al. 2000), as torch.nn.LSTM computes it.
#pragma once

#include <utility>
#include <vector>

#include <graft/kernels/bias.hpp>
#include <graft/kernels/lstm.hpp>
#include <graft/ops/linear.hpp>

namespace graft {

/// One direction of one layer. The rows of all four are those of the gates i, f, g, o, in this order.
template <class Scalar, class Device = Cpu>
struct LstmWeights {
  Variable<Scalar, Device> input;           ///< `[4·hidden, in]`: torch's weight_ih
  Variable<Scalar, Device> recurrent;       ///< `[4·hidden, hidden]`: weight_hh
  Variable<Scalar, Device> input_bias;      ///< `[4·hidden]`: bias_ih
  Variable<Scalar, Device> recurrent_bias;  ///< `[4·hidden]`: bias_hh
};

namespace detail {

/// One direction over a sequence `[steps, in]`, and what its reverse pass needs.
template <class Scalar, class Device>
class LstmDirection {
 public:
  using Values = Tensor<Scalar, Device>;

  /// Writes the outputs of all steps to `hidden` columns of y from column `first` on.
  LstmDirection(Values x, LstmWeights<Scalar, Device> weights, bool reversed, Values y, Index first)
      : x_(std::move(x)),
        w_(std::move(weights)),
        y_(std::move(y)),
        reversed_(reversed),
        first_(first),
        hidden_(w_.recurrent.width()) {
    using kernels::Read;
    Index const steps = x_.rows(), width = 4 * hidden_;
    gates_ = Values(Shape{steps, width});
    cells_ = Values(Shape{steps, hidden_});
    kernels::On<Device, kernels::Matmul, Scalar>::matmul({steps, width, x_.width(), x_.data(), x_.width(), Read::plain,
                                                          w_.input.value().data(), x_.width(), Read::transposed,
                                                          Scalar(0), gates_.data(), width});
    kernels::On<Device, kernels::Bias, Scalar>::add_to_rows(w_.input_bias.value().data(), steps, width, gates_.data());
    kernels::On<Device, kernels::Bias, Scalar>::add_to_rows(w_.recurrent_bias.value().data(), steps, width,
                                                            gates_.data());
    for (Index k = 0; k < steps; ++k) {
      Index const t = at(k);
      if (k > 0)
        kernels::On<Device, kernels::Matmul, Scalar>::matmul({1, width, hidden_, output(at(k - 1)), y_.width(),
                                                              Read::plain, w_.recurrent.value().data(), hidden_,
                                                              Read::transposed, Scalar(1), gates_.row(t), width});
      kernels::On<Device, kernels::Lstm, Scalar>::lstm_step(gates_.row(t), k > 0 ? cells_.row(at(k - 1)) : nullptr,
                                                            hidden_, cells_.row(t), output(t));
    }
  }

  /// Adds the gradients of the weights to their slots; returns that of the gates' sums, `[steps, 4·hidden]`.
  [[nodiscard]] Values backward(Values const& dy) const {
    Index const steps = x_.rows(), width = 4 * hidden_;
    Values dgates(gates_.shape()), dcell = zeros_of(Shape{hidden_}), carried(Shape{hidden_});
    for (Index k = steps; k-- > 0;) {
      Index const t = at(k);
      bool const last = k + 1 == steps;
      if (!last) times(dgates.row(at(k + 1)), Index{1}, w_.recurrent, carried.data());
      kernels::On<Device, kernels::Lstm, Scalar>::lstm_step_backward(
          gates_.row(t), k > 0 ? cells_.row(at(k - 1)) : nullptr, cells_.row(t), dy.row(t) + first_,
          last ? nullptr : carried.data(), hidden_, dcell.data(), dgates.row(t));
    }
    if (w_.input.tracked()) accumulate_product(w_.input, dgates.data(), steps, x_.data(), x_.width());
    if (w_.recurrent.tracked()) {  // step k sees the output of step k − 1, which is a row above, or below where time
                                   // runs backwards
      Index const own = reversed_ ? 0 : 1, before = 1 - own;
      accumulate_product(w_.recurrent, dgates.data() + own * width, steps - 1, y_.data() + before * y_.width() + first_,
                         y_.width());
    }
    for (auto const* bias : {&w_.input_bias, &w_.recurrent_bias}) {
      if (!bias->tracked()) continue;
      Values sum(bias->shape());
      kernels::On<Device, kernels::Bias, Scalar>::sum_rows(dgates.data(), steps, width, sum.data());
      bias->slot()->accumulate(std::move(sum));
    }
    return dgates;
  }
  /// dx = β·dx + dgates·W_input
  void add_input_gradient(Values const& dgates, Scalar beta, Values& dx) const {
    times(dgates.data(), dgates.rows(), w_.input, dx.data(), beta);
  }

 private:
  [[nodiscard]] Index at(Index k) const { return reversed_ ? x_.rows() - 1 - k : k; }
  [[nodiscard]] Pointer<Device, Scalar> output(Index t) { return y_.row(t) + first_; }
  static Values zeros_of(Shape const& shape) {
    Values zero(shape);
    kernels::On<Device, kernels::Elementwise, Scalar>::fill(zero.data(), Scalar(0), zero.size());
    return zero;
  }
  /// y = β·y + g·W for g `[rows, 4·hidden]`.
  void times(Pointer<Device, Scalar const> g, Index rows, Variable<Scalar, Device> const& w, Pointer<Device, Scalar> y,
             Scalar beta = Scalar(0)) const {
    using kernels::Read;
    Index const in = w.width(), width = 4 * hidden_;
    kernels::On<Device, kernels::Matmul, Scalar>::matmul(
        {rows, in, width, g, width, Read::plain, w.value().data(), in, Read::plain, beta, y, in});
  }
  /// dW = gᵀ·x over `rows` rows; zero rows give zeros.
  void accumulate_product(Variable<Scalar, Device> const& w, Pointer<Device, Scalar const> g, Index rows,
                          Pointer<Device, Scalar const> x, Index stride) const {
    using kernels::Read;
    Values dw = zeros_of(w.shape());
    Index const width = 4 * hidden_;
    if (rows > 0)
      kernels::On<Device, kernels::Matmul, Scalar>::matmul({width, w.width(), rows, g, width, Read::transposed, x,
                                                            stride, Read::plain, Scalar(0), dw.data(), w.width()});
    w.slot()->accumulate(std::move(dw));
  }

  Values x_;
  LstmWeights<Scalar, Device> w_;
  Values y_, gates_, cells_;  // gates after their activations
  bool reversed_;
  Index first_, hidden_;
};

template <class Scalar, class Device>
void check_lstm(Variable<Scalar, Device> const& x, std::vector<LstmWeights<Scalar, Device>> const& directions) {
  if (directions.empty() || directions.size() > 2)
    fail<ShapeError>("[lstm] got ", directions.size(), " directions; expected 1 or 2");
  Index const hidden = directions[0].recurrent.width();
  if (x.shape().rank() != 2 || x.rows() < 1)
    fail<ShapeError>("[lstm] got an input of shape ", x.shape(), "; expected [steps, in] with at least one step");
  for (auto const& w : directions) {
    bool const fits = w.input.shape() == Shape{4 * hidden, x.width()} &&
                      w.recurrent.shape() == Shape{4 * hidden, hidden} && w.input_bias.value().size() == 4 * hidden &&
                      w.recurrent_bias.value().size() == 4 * hidden;
    if (!fits)
      fail<ShapeError>("[lstm] got weights of shapes ", w.input.shape(), ", ", w.recurrent.shape(), ", ",
                       w.input_bias.shape(), ", ", w.recurrent_bias.shape(), "; expected [4·hidden, ", x.width(),
                       "], [4·hidden, hidden], [4·hidden], [4·hidden]");
  }
}

}  // namespace detail

/// One layer over x `[steps, in]` from zero states: y `[steps, hidden]`, or with two directions `[steps, 2·hidden]`,
/// the second one's (which reads the sequence from its end) in the right half. With a = W_input·x_t + b_input +
/// W_recurrent·h_{t−1} + b_recurrent in parts i, f, g, o: c_t = σ(f) ∘ c_{t−1} + σ(i) ∘ tanh(g), h_t = σ(o) ∘
/// tanh(c_t). Keeps the gates and cells of every step; the gradients go backwards through time.
/// @throws ShapeError where weights do not fit.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> lstm_layer(Variable<Scalar, Device> const& x,
                                                  std::vector<LstmWeights<Scalar, Device>> const& directions) {
  detail::check_lstm(x, directions);
  Index const hidden = directions[0].recurrent.width();
  Tensor<Scalar, Device> y(Shape{x.rows(), static_cast<Index>(directions.size()) * hidden});
  std::vector<detail::LstmDirection<Scalar, Device>> passes;
  bool wanted = needs_gradient(x);
  for (std::size_t d = 0; d < directions.size(); ++d) {
    auto const& w = directions[d];
    passes.emplace_back(x.value(), w, d == 1, y, static_cast<Index>(d) * hidden);
    wanted = wanted || needs_gradient(w.input, w.recurrent, w.input_bias, w.recurrent_bias);
  }
  if (!wanted) return y;
  return record(std::move(y),
                [passes = std::move(passes), shape = x.shape(), to_x = x.slot()](Tensor<Scalar, Device> const& dy) {
                  Tensor<Scalar, Device> dx = to_x ? Tensor<Scalar, Device>(shape) : Tensor<Scalar, Device>();
                  for (std::size_t d = 0; d < passes.size(); ++d) {
                    auto const dgates = passes[d].backward(dy);
                    if (to_x) passes[d].add_input_gradient(dgates, d == 0 ? Scalar(0) : Scalar(1), dx);
                  }
                  if (to_x) to_x->accumulate(std::move(dx));
                });
}

/// Layers one above the other; `between(y, layer)` is applied to the output of every layer but the last (torch's
/// dropout).
template <class Scalar, class Device, class Between>
[[nodiscard]] Variable<Scalar, Device> lstm(Variable<Scalar, Device> x,
                                            std::vector<std::vector<LstmWeights<Scalar, Device>>> const& layers,
                                            Between const& between) {
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    x = lstm_layer(x, layers[layer]);
    if (layer + 1 < layers.size()) x = between(x, layer);
  }
  return x;
}
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> lstm(Variable<Scalar, Device> const& x,
                                            std::vector<std::vector<LstmWeights<Scalar, Device>>> const& layers) {
  return lstm(x, layers, [](Variable<Scalar, Device> const& y, std::size_t) { return y; });
}

}  // namespace graft
