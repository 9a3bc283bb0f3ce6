/// @file
/// @brief The tensors of a strategy's state under the names they have in an adapter file, and their reading with every
/// check.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/parts.hpp>
#include <graft/io/describe.hpp>
#include <graft/io/safetensors.hpp>
#include <graft/tensor/device_copy.hpp>
#include <graft/tensor/finite.hpp>

namespace graft {

/// What files call the one matrix of a soft prompt (virtual tokens, or virtual keys and values), flat: PEFT's name.
inline constexpr char const* soft_prompt_tensor = "prompt_embeddings";

/// A state of one matrix or several, flat or behind MLPs that files do not hold.
template <class State>
concept SoftPromptState = requires(State& state) { state.banks().front().matrix.values(); } ||
                          requires(State& state) { state.embeddings().values(); };

/// Calls `f(name, matrix)` for every matrix of a soft prompt; the name is empty where there is only one.
template <SoftPromptState State, class F>
void each_soft_prompt(State& state, F const& f) {
  if constexpr (requires { state.banks(); })
    for (auto& bank : state.banks()) f(bank.name.empty() ? "" : bank.name + ".", bank.matrix);
  else
    f(std::string(), state.embeddings());
}

/// A tensor's name in the file, and its numbers.
template <class Scalar, class Device>
struct AdapterTensor {
  std::string name;
  Tensor<Scalar, Device> values;
};

/// What a file holds of a state: of a soft prompt its matrix after the MLP, of others the parameters under their names.
/// A composition's names begin with the place of the part: `0.prompt_embeddings`. The tensors share storage with
/// parameters where they are just those.
template <class Adaptation, class Scalar, class Device>
[[nodiscard]] std::vector<AdapterTensor<Scalar, Device>> adapter_tensors(StateOf<Adaptation, Scalar, Device>& state) {
  std::vector<AdapterTensor<Scalar, Device>> tensors;
  each_part_state<Adaptation>(state, [&](auto& part, std::string const& prefix) {
    if constexpr (SoftPromptState<std::remove_reference_t<decltype(part)>>)
      each_soft_prompt(part, [&](std::string const& name, auto& matrix) {
        tensors.push_back({prefix + name + soft_prompt_tensor, matrix.values()});
      });
    else
      for (auto* parameter : part.parameters()) tensors.push_back({parameter->name(), parameter->mutable_value()});
  });
  return tensors;
}

/// The same tensors where the host can read them: themselves on the host, else copies.
template <class Scalar, class Device>
[[nodiscard]] std::vector<AdapterTensor<Scalar, Cpu>> on_host(
    std::vector<AdapterTensor<Scalar, Device>> const& tensors) {
  std::vector<AdapterTensor<Scalar, Cpu>> here;
  for (auto const& tensor : tensors) here.push_back({tensor.name, downloaded(tensor.values)});
  return here;
}

/// Fills `tensors` from a file that must hold exactly these names and shapes in a floating-point format, and finite
/// numbers.
/// @param owner whose shapes are expected, for messages: "this gpt2 model"
/// @throws FileError for anything else; the tensors' contents are unspecified then
template <class Scalar, class Device>
void read_adapter_tensors(SafetensorsFile const& file, std::vector<AdapterTensor<Scalar, Device>> const& tensors,
                          std::string const& owner) {
  std::set<std::string> expected;
  for (auto const& tensor : tensors) {
    expected.insert(tensor.name);
    TensorEntry const* const entry = file.find(tensor.name);
    if (!entry)
      fail<FileError>("[", file.path(), "] lacks the tensor ", printable(tensor.name), "; got ", file.entries().size(),
                      " tensors; expected ", tensors.size(), " for ", owner);
    bool fits = static_cast<int>(entry->shape.size()) == tensor.values.shape().rank();
    for (std::size_t axis = 0; fits && axis < entry->shape.size(); ++axis)
      fits = entry->shape[axis] == tensor.values.shape()[static_cast<int>(axis)];
    if (!fits)
      fail<FileError>("[", file.path(), "] tensor ", printable(tensor.name), " does not fit; got the shape ",
                      shape_text(entry->shape), "; expected ", tensor.values.shape(), " for ", owner,
                      "; hint: is it an adapter of another model?");
    bool const real = entry->dtype == Dtype::f64 || entry->dtype == Dtype::f32 || entry->dtype == Dtype::f16 ||
                      entry->dtype == Dtype::bf16;
    if (!real)
      fail<FileError>("[", file.path(), "] tensor ", printable(tensor.name), " is stored as ", dtype_name(entry->dtype),
                      "; expected floating-point numbers");
  }
  for (auto const& entry : file.entries())
    if (!expected.contains(entry.name))
      fail<FileError>("[", file.path(), "] holds the tensor ", printable(entry.name),
                      ", which has no place in this adapter of ", owner, "; expected ", tensors.size(),
                      " tensors such as ", tensors.empty() ? std::string("none") : printable(tensors.front().name));
  for (auto tensor : tensors) {
    TensorEntry const& entry = file.at(tensor.name);
    auto values = [&] {
      if constexpr (std::is_same_v<Device, Cpu>)
        return tensor.values;
      else
        return Tensor<Scalar>(tensor.values.shape());
    }();
    convert_values(entry.dtype, entry.data, static_cast<std::size_t>(values.size()), values.data());
    if (Index const i = first_not_finite(values); i >= 0)
      fail<FileError>("[", file.path(), "] tensor ", printable(tensor.name), " has a bad value; got ", values.data()[i],
                      " at element ", i, "; expected finite numbers; hint: the training that wrote it had diverged");
    if constexpr (!std::is_same_v<Device, Cpu>) {
      copy_async(values, tensor.values);
      synchronize(Device{});
    }
  }
}

}  // namespace graft
