/// @file
/// @brief Gradients checked against central differences in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/autograd/tape.hpp>
#include <graft/autograd/variable.hpp>
#include <graft/core/random.hpp>

namespace graft {

/// What a gradient check found. `message` names the worst element in one sentence: `EXPECT_TRUE(report.passed) << report.message`.
struct GradcheckReport {
  bool passed = true;
  double error = 0;  ///< the largest relative error over the inputs
  std::string message;
};

namespace detail {

/// `f()` or `f(variables)`, whichever `f` takes.
template <class F>
Variable<double> gradcheck_call(F const& f, std::vector<Parameter<double>> const& inputs) {
  if constexpr (std::is_invocable_v<F const&>) {
    return f();
  } else {
    std::vector<Variable<double>> variables;
    for (auto const& input : inputs) variables.push_back(input.variable());
    return f(variables);
  }
}

/// Σ cotangent_i · y_i, nothing recorded.
template <class F>
double gradcheck_contract(F const& f, std::vector<Parameter<double>> const& inputs, Tensor<double> const& cotangent) {
  NoGrad const no_grad;
  Tensor<double> const y = gradcheck_call(f, inputs).value();
  double sum = 0;
  for (Index i = 0; i < y.size(); ++i) sum += y.data()[i] * cotangent.data()[i];
  return sum;
}

/// (L(x + step) - L(x - step)) / 2·step for every element of `input`, with L the contraction.
template <class F>
std::vector<double> central_differences(F const& f, std::vector<Parameter<double>> const& inputs, Parameter<double> input,
                                        Tensor<double> const& cotangent, double step) {
  Tensor<double> values = input.mutable_value();
  std::vector<double> result(static_cast<std::size_t>(values.size()));
  for (Index i = 0; i < values.size(); ++i) {
    double const before = values.data()[i];
    values.data()[i] = before + step;
    double const above = gradcheck_contract(f, inputs, cotangent);
    values.data()[i] = before - step;
    double const below = gradcheck_contract(f, inputs, cotangent);
    values.data()[i] = before;
    result[static_cast<std::size_t>(i)] = (above - below) / (2 * step);
  }
  return result;
}

inline double largest(std::vector<double> const& values) {
  double result = 0;
  for (double const v : values) result = std::max(result, std::abs(v));
  return result;
}

}  // namespace detail

/// Compares the recorded gradient of `f` with respect to every element of `inputs` with central differences. `f` takes nothing, or the
/// inputs as a `std::vector<Variable<double>>`, and returns a variable of any shape, which is contracted with a fixed random cotangent.
/// An input's error is max|difference| / max|reference|, where the reference counts as at least 1e-4 of the largest over all inputs: some
/// true gradients are zero. The inputs' gradients are cleared before and after.
template <class F>
[[nodiscard]] GradcheckReport gradcheck(F const& f, std::vector<Parameter<double>> inputs, double step = 1e-5, double tolerance = 1e-6) {
  for (auto& input : inputs) input.clear_gradient();
  Recording const recording;
  Variable<double> const y = detail::gradcheck_call(f, inputs);
  if (!y.tracked()) return {false, 1, "[gradcheck] the result depends on none of the inputs; expected a recorded computation"};
  Tensor<double> const cotangent = uniform<double>(y.shape(), RandomKey(17).with("gradcheck"), -1, 1);
  backward_from(y, cotangent, recording.first());

  std::vector<std::vector<double>> references;
  double overall = 0;
  for (auto const& input : inputs) {
    references.push_back(detail::central_differences(f, inputs, input, cotangent, step));
    overall = std::max(overall, detail::largest(references.back()));
  }
  GradcheckReport report;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    auto const& reference = references[k];
    double const unit = std::max({detail::largest(reference), 1e-4 * overall, 1e-300});
    for (std::size_t i = 0; i < reference.size(); ++i) {
      double const recorded = inputs[k].has_gradient() ? inputs[k].gradient().data()[i] : 0;
      double const error = std::abs(recorded - reference[i]) / unit;
      if (error <= report.error) continue;  // false for a NaN
      report.passed = report.passed && error <= tolerance;
      report.error = error;
      report.message =
          cat("[gradcheck] input ", inputs[k].name(), " at element ", i, ": got gradient ", recorded, "; expected ", reference[i],
              " from central differences; relative error ", error, inputs[k].has_gradient() ? "" : "; hint: no gradient arrived");
      if (std::isnan(error)) return report;
    }
    inputs[k].clear_gradient();
  }
  return report;
}

}  // namespace graft
