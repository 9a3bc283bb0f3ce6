// What the tests of operations share: leaves, contraction to a loss, and the checks every operation undergoes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <graft/autograd/gradcheck.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/ops/sum.hpp>

namespace graft::testing {

template <class Scalar = double>
Tensor<Scalar> random(Shape const& shape, std::uint64_t seed, double mean = 0) {
  Tensor<Scalar> tensor = normal<Scalar>(shape, RandomKey(seed));
  for (Index i = 0; i < tensor.size(); ++i) tensor.data()[i] += static_cast<Scalar>(mean);
  return tensor;
}
template <class Scalar = double>
Parameter<Scalar> leaf(std::string const& name, Shape const& shape, std::uint64_t seed, double mean = 0) {
  return {name, random<Scalar>(shape, seed, mean)};
}

/// Contracts `y` with fixed weights and runs backward.
template <class Scalar>
void backward_from(Variable<Scalar> const& y) {
  backward(weighted_sum(y, random<Scalar>(y.shape(), 4242)));
}

template <class A, class B>
double relative_error(Tensor<A> const& got, Tensor<B> const& reference) {
  double difference = 0, largest = 1e-300;
  for (Index i = 0; i < reference.size(); ++i) {
    double const wanted = static_cast<double>(reference.data()[i]),
                 error = std::abs(static_cast<double>(got.data()[i]) - wanted);
    difference = std::isnan(error) ? INFINITY : std::max(difference, error);
    largest = std::max(largest, std::abs(wanted));
  }
  return difference / largest;
}

/// The largest difference, relative to the reference's largest number, or to `least` where that is larger.
inline double error_beyond(double least, Tensor<double> const& got, Tensor<double> const& reference) {
  double largest = 0;
  for (Index i = 0; i < reference.size(); ++i) largest = std::max(largest, std::abs(reference.data()[i]));
  return largest == 0 && got.size() == 0
             ? 0
             : relative_error(got, reference) * std::max(largest, 1e-300) / std::max(largest, least);
}

/// Values, and gradients of `leaves`, of a fused operation and of its composition agree to rounding.
/// @param least size of the terms whose difference a result may be: rounding is relative to these
template <class Fused, class Composite>
void expect_same(std::vector<Parameter<double>*> const& leaves, Fused const& fused, Composite const& composite,
                 double tolerance = 1e-12, double least = 1e-3) {
  auto const run = [&](auto const& f) {
    for (auto* parameter : leaves) parameter->clear_gradient();
    auto const y = f();
    backward_from(y);
    std::vector<Tensor<double>> results{clone(y.value())};
    for (auto* parameter : leaves) {
      results.push_back(parameter->has_gradient() ? clone(parameter->gradient())
                                                  : zeros<double>(parameter->value().shape()));
      parameter->clear_gradient();
    }
    return results;
  };
  auto const got = run(fused), expected = run(composite);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(got[i].shape(), expected[i].shape()) << i;
    EXPECT_LE(error_beyond(least, got[i], expected[i]), tolerance)
        << (i == 0 ? "value" : "gradient of " + leaves[i - 1]->name());
  }
}

/// `run(Scalar{})` returns results and gradients: float must agree with double, and must have the same bits for 1, 2, 3
/// and 8 threads.
template <class Run>
void expect_precise_and_independent_of_threads(Run const& run, double tolerance) {
  int const before = ThreadPool::global().threads();
  auto const reference = run(double{});
  ThreadPool::global().resize(1);
  auto const first = run(float{});
  ASSERT_EQ(first.size(), reference.size());
  for (std::size_t k = 0; k < reference.size(); ++k) {
    ASSERT_EQ(first[k].shape(), reference[k].shape()) << k;
    EXPECT_LE(relative_error(first[k], reference[k]), tolerance) << "result " << k;
  }
  for (int const threads : {2, 3, 8}) {
    ThreadPool::global().resize(threads);
    auto const again = run(float{});
    for (std::size_t k = 0; k < first.size(); ++k)
      EXPECT_EQ(
          std::memcmp(first[k].data(), again[k].data(), static_cast<std::size_t>(first[k].size()) * sizeof(float)), 0)
          << "result " << k << " with " << threads << " threads";
  }
  ThreadPool::global().resize(before);
}

/// The message of the `E` that `f` throws.
template <class E, class F>
std::string message_of(F const& f) {
  try {
    f();
  } catch (E const& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace graft::testing
