/// @file
/// @brief Copies of base models between the host and a GPU.
#pragma once

#include <memory>
#include <type_traits>

#include <graft/models/pretrained.hpp>
#include <graft/weights/to_device.hpp>

namespace graft {

/// The same base with its weights in memory of their own on the device `To`, as in
/// `to_device<Cuda>(load_pretrained<Llama>(path))`. Matrices stay what they are: dense, narrow or quantized. The hash
/// of the weights is the same.
/// @tparam Stored bfloat16 rounds the matrices of a host's base to it, as PyTorch's `dtype=bfloat16` does; gains and
/// biases stay what they are. The result stands for the host's base, which it keeps until its hash is asked for
template <class To, class Stored = void, Architecture A, class Scalar, class From>
[[nodiscard]] Base<A, Scalar, To> to_device(std::shared_ptr<Pretrained<A, Scalar, From> const> const& base) {
  auto result = std::make_shared<Pretrained<A, Scalar, To>>(base->config());
  result->source = base->source;
  result->configuration = base->configuration;
  result->storage = base->storage;
  auto const copied = [](Tensor<Scalar, From> const& tensor) {
    return tensor.empty() ? Tensor<Scalar, To>() : to_device<To>(tensor);
  };
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto const& from = base->at(site.address);
    result->mutable_at(site.address) = {to_device<To, Stored>(from.matrix), copied(from.gain), copied(from.bias)};
  }
  if constexpr (!std::is_void_v<Stored>) result->stand_for([base] { return base->weights_hash(); });
  return result;
}

}  // namespace graft
