/// @file
/// @brief A base whose narrow or quantized weights are made dense once: more memory for a little more speed.
#pragma once

#include <memory>

#include <graft/models/pretrained.hpp>
#include <graft/weights/packed.hpp>

namespace graft {

/// The same base with every matrix in the model's scalar, in memory of its own; matrices that are so already are
/// shared. The numbers, and the hash, are the same.
template <Architecture A, class Scalar, class Device>
[[nodiscard]] Base<A, Scalar, Device> with_dense_weights(Base<A, Scalar, Device> const& base) {
  auto result = std::make_shared<Pretrained<A, Scalar, Device>>(*base);
  for (auto const& site : result->info().sites) {
    if (site.tied) continue;
    auto& matrix = result->mutable_at(site.address).matrix;
    if (matrix.empty() || matrix.storage()->name() == dtype_name(dtype_of<Scalar>)) continue;
    matrix = for_products<Scalar>(matrix.dense(), matrix.layout());
  }
  return result;
}

}  // namespace graft
