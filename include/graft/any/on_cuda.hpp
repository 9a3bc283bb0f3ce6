/// @file
/// @brief A base of one architecture on a GPU, with every strategy: instantiated in a source for each architecture and
/// type of numbers, which graft_add_any_cuda generates.
#pragma once

#include <memory>
#include <type_traits>

#include <graft/any/base_of.hpp>
#include <graft/models/to_device.hpp>

namespace graft::any {

/// @tparam Activation float or bfloat16, to which frozen matrices are rounded, too
template <Architecture A, class Activation>
[[nodiscard]] std::unique_ptr<AnyBase> on_cuda(Base<A> const& base) {
  using Stored = std::conditional_t<std::is_same_v<Activation, bfloat16>, bfloat16, void>;
  return std::make_unique<BaseOf<A, Strategies, Activation, Cuda>>(to_device<Cuda, Stored>(base));
}

}  // namespace graft::any
