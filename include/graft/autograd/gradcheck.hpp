/// @file
/// @brief Gradients checked against central differences in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/autograd/detach.hpp>
#include <graft/autograd/tape.hpp>
#include <graft/autograd/variable.hpp>
#include <graft/core/random.hpp>

namespace graft {

/// What a gradient check found. `message` names the worst element in one sentence: `EXPECT_TRUE(report.passed) <<
/// report.message`.
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

/// The numbers of `f`'s result, nothing recorded; a copy, because a result may share an input's storage.
template <class F>
std::vector<double> gradcheck_values(F const& f, std::vector<Parameter<double>> const& inputs,
                                     DetachedValues& constants) {
  NoGrad const no_grad;
  DetachedValues::Use const use(constants);
  Tensor<double> const y = gradcheck_call(f, inputs).value();
  return {y.data(), y.data() + y.size()};
}

/// Derivatives with respect to the elements of one input, and what the rounding of `f` may have added to each.
struct CentralDifferences {
  std::vector<double> values, rounding;
};

/// (L(x + step) - L(x - step)) / 2·step for every element of `input`, with L = Σ cotangent_i · y_i. Results that do not
/// change with an element are the same bits on both sides and add no rounding, so the difference is taken before the
/// sum.
template <class F>
CentralDifferences central_differences(F const& f, std::vector<Parameter<double>> const& inputs,
                                       Parameter<double> input, Tensor<double> const& cotangent, double step,
                                       DetachedValues& constants) {
  constexpr double rounded = 16 * std::numeric_limits<double>::epsilon();  // relative error of one result
  Tensor<double> values = input.mutable_value();
  CentralDifferences result;
  for (Index i = 0; i < values.size(); ++i) {
    double const before = values.data()[i];
    values.data()[i] = before + step;
    std::vector<double> const above = gradcheck_values(f, inputs, constants);
    values.data()[i] = before - step;
    std::vector<double> const below = gradcheck_values(f, inputs, constants);
    values.data()[i] = before;
    double change = 0, magnitude = 0;
    for (Index j = 0; j < cotangent.size(); ++j) {
      double const high = above[static_cast<std::size_t>(j)], low = below[static_cast<std::size_t>(j)],
                   weight = cotangent.data()[j];
      change += weight * (high - low);
      if (high != low) magnitude += std::abs(weight) * std::max(std::abs(high), std::abs(low));
    }
    result.values.push_back(change / (2 * step));
    result.rounding.push_back(rounded * magnitude / step);
  }
  return result;
}

inline double largest(std::vector<double> const& values) {
  double result = 0;
  for (double const v : values) result = std::max(result, std::abs(v));
  return result;
}

}  // namespace detail

/// Compares the recorded gradient of `f` with respect to every element of `inputs` with central differences. `f` takes
/// nothing, or the inputs as a `std::vector<Variable<double>>`, and returns a variable of any shape, which is
/// contracted with a fixed random cotangent c. The inputs' gradients are cleared before and after. What `f` detaches
/// (`detach`) counts as a constant: the differences are taken with the values that it had at the inputs.
///
/// An element's error is |recorded - reference| / unit and passes if it is at most `tolerance`. The unit is the
/// largest of
/// - the largest reference gradient of the same input;
/// - 1e-4 of the largest over all inputs, because some true gradients are zero;
/// - rounding / tolerance, with rounding = 16·ε·Σ|c_i·y_i| / step over the results y_i that change with the element,
///   and ε = 2.2e-16: what the rounding of `f` may add to the reference.
///
/// The last one says what a central difference can tell. A result of magnitude |y| comes out of double arithmetic with
/// an error of some ε·|y|, which is another one on every processor, and the division by the step magnifies it. Beside
/// it, the difference's own error, of the order of step², is small.
template <class F>
[[nodiscard]] GradcheckReport gradcheck(F const& f, std::vector<Parameter<double>> inputs, double step = 1e-5,
                                        double tolerance = 1e-6) {
  for (auto& input : inputs) input.clear_gradient();
  Recording const recording;
  detail::DetachedValues constants;
  Variable<double> const y = [&] {
    detail::DetachedValues::Use const use(constants);
    return detail::gradcheck_call(f, inputs);
  }();
  constants.close();
  if (!y.tracked())
    return {false, 1, "[gradcheck] the result depends on none of the inputs; expected a recorded computation"};
  Tensor<double> const cotangent = uniform<double>(y.shape(), RandomKey(17).with("gradcheck"), -1, 1);
  backward_from(y, cotangent, recording.first());

  std::vector<detail::CentralDifferences> references;
  double overall = 0;
  for (auto const& input : inputs) {
    references.push_back(detail::central_differences(f, inputs, input, cotangent, step, constants));
    overall = std::max(overall, detail::largest(references.back().values));
  }
  GradcheckReport report;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    auto const& [reference, rounding] = references[k];
    double const largest = std::max({detail::largest(reference), 1e-4 * overall, 1e-300});
    for (std::size_t i = 0; i < reference.size(); ++i) {
      double const unit = std::max(largest, rounding[i] / std::max(tolerance, std::numeric_limits<double>::epsilon()));
      double const recorded = inputs[k].has_gradient() ? inputs[k].gradient().data()[i] : 0;
      double const error = std::abs(recorded - reference[i]) / unit;
      if (error <= report.error) continue;  // false for a NaN
      report.passed = report.passed && error <= tolerance;
      report.error = error;
      report.message = cat("[gradcheck] input ", inputs[k].name(), " at element ", i, ": got gradient ", recorded,
                           "; expected ", reference[i], " from central differences; relative error ", error,
                           inputs[k].has_gradient() ? "" : "; hint: no gradient arrived");
      if (std::isnan(error)) return report;
    }
    inputs[k].clear_gradient();
  }
  return report;
}

}  // namespace graft
