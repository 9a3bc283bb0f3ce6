/// @file
/// @brief Whether what an optimizer keeps fits.
#pragma once

#include <type_traits>

#include <graft/core/memory_limit.hpp>
#include <graft/optim/optimizer.hpp>
#include <graft/tensor/memory.hpp>

namespace graft::detail {

/// Refuses a training on the host, before anything is allocated, where `tensors` as large as each parameter do not fit
/// beside what tensors hold already. Another device's memory says so itself when it is asked for them.
/// @throws ConfigError
template <class Scalar, class Device>
void require_optimizer_memory(ParameterList<Scalar, Device> const& parameters, int tensors) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    Index count = 0;
    for (auto const* parameter : parameters) count += parameter->value().size();
    double const more = static_cast<double>(count) * sizeof(Scalar) * tensors;
    require_memory(cat("[Trainer] training of ", count, " parameters"),
                   more + static_cast<double>(HostPool::global().used()));
  }
}

}  // namespace graft::detail
