/// @file
/// @brief Where tensors' bytes come from: per device, blocks are kept and handed out again, so that a training step in
/// its steady state asks the system for nothing.
#pragma once

#include <cstddef>
#include <memory>

#include <graft/core/device.hpp>
#include <graft/core/host_pool.hpp>

namespace graft {

/// Allocation on a device. A device joins by specializing it with `allocate`, which returns an owner that gives the
/// block back.
template <class Device>
struct Memory;

template <>
struct Memory<Cpu> {
  [[nodiscard]] static std::shared_ptr<void> allocate(std::size_t bytes) { return HostPool::global().allocate(bytes); }
};

}  // namespace graft
