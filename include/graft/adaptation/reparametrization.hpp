/// @file
/// @brief A trainable matrix, given flat or as the output of a small MLP that is dropped after training (Li & Liang
/// 2021, §4.3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/kernels/adamw.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/norm.hpp>
#include <graft/ops/sum.hpp>

namespace graft {

/// M = tanh(E·W₁ᵀ + b₁)·W₂ᵀ + b₂, with E `[P, input]` trainable too.
struct Mlp {
  Index hidden = 512;       ///< width of the hidden layer
  Index input = 0;          ///< width of E; 0 for the matrix's natural width (the model's, or that of keys)
  bool layer_norm = false;  ///< normalise E's rows (with trainable gain and bias) before the first linear map

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("hidden", self.hidden, "width of the MLP's hidden layer");
    visitor("input", self.input, "width of the MLP's input; 0 for the matrix's own (the model's, or that of keys)");
    visitor("layer_norm", self.layer_norm, "normalise the MLP's input before its first linear map");
  }
  /// @throws ConfigError for widths that no MLP can have
  void check() const {
    if (hidden < 1 || input < 0)
      fail<ConfigError>("[reparametrization] got hidden width ", hidden, " and input width ", input,
                        "; expected a hidden width of at least 1, and an input width of at least 1 or 0 for the "
                        "matrix's own");
  }
};

/// `[rows, columns]` of trainable numbers behind an optional MLP. Parameter names are PEFT's (`embedding.weight`,
/// `transform.0.weight`, …).
template <class Scalar, class Device>
class ReparametrizedMatrix {
 public:
  using Values = Tensor<Scalar, Device>;

  ReparametrizedMatrix() = default;
  /// Starts flat numbers at `start`; an MLP starts like torch's linear layers, its input E at `input_start` (normal
  /// numbers if empty).
  ReparametrizedMatrix(Tensor<Scalar> start, std::optional<Mlp> const& mlp, Index natural_input, RandomKey key,
                       Tensor<Scalar> input_start = {})
      : shape_(start.shape()) {
    if (!mlp) {
      flat_ = {"embedding.weight", std::move(start)};
      return;
    }
    Index const input = input_start.empty() ? (mlp->input ? mlp->input : natural_input) : input_start.width(),
                hidden = mlp->hidden;
    if (hidden < 1 || input < 1)
      fail<ConfigError>("[reparametrization] got hidden width ", hidden, " and input width ", input,
                        "; expected at least 1 each");
    if (input_start.empty()) input_start = normal<Scalar>(Shape{shape_[0], input}, key.with("embedding"));
    flat_ = {"embedding.weight", std::move(input_start)};
    if (mlp->layer_norm) {
      gain_ = {"norm.weight", full(Shape{input}, Scalar(1))};
      offset_ = {"norm.bias", zeros<Scalar>(Shape{input})};
    }
    w1_ = {"transform.0.weight", linear_init<Scalar>(Shape{hidden, input}, input, key.with("w1"))};
    b1_ = {"transform.0.bias", linear_init<Scalar>(Shape{hidden}, input, key.with("b1"))};
    w2_ = {"transform.2.weight", linear_init<Scalar>(Shape{shape_[1], hidden}, hidden, key.with("w2"))};
    b2_ = {"transform.2.bias", linear_init<Scalar>(Shape{shape_[1]}, hidden, key.with("b2"))};
  }

  [[nodiscard]] bool has_mlp() const { return !w1_.empty(); }
  [[nodiscard]] Shape const& shape() const { return shape_; }
  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all{&flat_};
    for (auto* parameter : {&gain_, &offset_, &w1_, &b1_, &w2_, &b2_})
      if (!parameter->empty()) all.push_back(parameter);
    return all;
  }
  /// The matrix, recorded: `[rows, columns]`.
  [[nodiscard]] Variable<Scalar, Device> compute() const {
    if (!has_mlp()) return flat_.variable();
    auto x = flat_.variable();
    if (!gain_.empty()) x = layer_norm(x, gain_.variable(), offset_.variable(), 1e-5);
    return linear(tanh(linear(x, w1_.variable(), b1_.variable())), w2_.variable(), b2_.variable());
  }
  /// The matrix's numbers, as adapter files hold them.
  [[nodiscard]] Values values() const {
    NoGrad no_grad;
    return compute().value();
  }
  /// Puts `prefix` before all parameters' names.
  void prefix_names(std::string const& prefix) {
    for (auto* parameter : parameters()) parameter->rename(prefix + parameter->name());
  }
  /// Replaces everything by flat numbers (a file's): the MLP, if any, is gone.
  void adopt(Tensor<Scalar> flat) {
    if (!(flat.shape() == shape_))
      fail<ShapeError>("[reparametrization] got a matrix ", flat.shape(), "; expected ", shape_);
    *this = ReparametrizedMatrix(std::move(flat), std::nullopt, 0, RandomKey());
  }
  /// Fits the MLP to `target` by Adam on the mean squared error, as the paper's code
  /// does for real-word activations. Returns the last error.
  double fit(Tensor<Scalar> const& target, int steps = 500, double learning_rate = 1e-3) {
    std::vector<Values> first, second;
    for (auto* parameter : parameters()) {
      first.push_back(uploaded<Device>(zeros<Scalar>(parameter->value().shape())));
      second.push_back(uploaded<Device>(zeros<Scalar>(parameter->value().shape())));
    }
    Values const wanted = uploaded<Device>(target);
    Values error;
    Recording const own;  // also where the caller records nothing
    for (int step = 1; step <= steps; ++step) {
      auto const loss = mean_squared_error(compute(), wanted);
      error = loss.value();
      backward(loss);
      std::size_t i = 0;
      for (auto* parameter : parameters()) {
        adam_step(*parameter, first[i], second[i], step, learning_rate);
        parameter->clear_gradient();
        ++i;
      }
    }
    return error.empty() ? 0 : static_cast<double>(downloaded(error).data()[0]);
  }

 private:
  /// As AdamW without decay, with ε beside √v and not beside √v̂.
  static void adam_step(Parameter<Scalar, Device>& p, Values& m, Values& v, int step, double rate) {
    double const b1 = 0.9, b2 = 0.999, correction = std::sqrt(1 - std::pow(b2, step)) / (1 - std::pow(b1, step));
    Values value = p.mutable_value();
    kernels::On<Device, kernels::Adamw, Scalar>::adamw(value.data(), p.gradient().data(), m.data(), v.data(),
                                                       value.size(),
                                                       {1, 1 - b1, b2, 1 - b2, rate * correction, 1, 1e-8}, nullptr);
  }

  Shape shape_{0};
  Parameter<Scalar, Device> flat_, gain_, offset_, w1_, b1_, w2_, b2_;
};

}  // namespace graft
