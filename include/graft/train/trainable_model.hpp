/// @file
/// @brief What the trainer asks of a model.
#pragma once

#include <concepts>
#include <vector>

#include <graft/autograd/variable.hpp>
#include <graft/nn/rows.hpp>

namespace graft {

namespace detail {
template <class List>
struct ParameterTypes;
template <class Scalar, class Device>
struct ParameterTypes<std::vector<Parameter<Scalar, Device>*>> {
  using scalar_type = Scalar;
  using device_type = Device;
};
}  // namespace detail

/// A model that can be trained: its trainable parameters (with names that stay the same), the log-probabilities
/// of a batch's targets, and counts for the report.
template <class Model>
concept TrainableModel = requires(Model& model, Batch const& batch) {
  typename detail::ParameterTypes<decltype(model.parameters())>::scalar_type;
  model.scores(batch).log_probability.value();
  { model.parameter_counts().trainable } -> std::convertible_to<Index>;
  { model.parameter_counts().all } -> std::convertible_to<Index>;
};

template <TrainableModel Model>
using ScalarOf = typename detail::ParameterTypes<decltype(std::declval<Model&>().parameters())>::scalar_type;
template <TrainableModel Model>
using DeviceOf = typename detail::ParameterTypes<decltype(std::declval<Model&>().parameters())>::device_type;

}  // namespace graft
