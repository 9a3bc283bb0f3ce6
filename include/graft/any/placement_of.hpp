/// @file
/// @brief The placement that types stand for.
#pragma once

#include <type_traits>

#include <graft/any/placement.hpp>
#include <graft/core/device.hpp>

namespace graft::any {

template <class Activation, class Device>
inline constexpr Placement placement_of{std::is_same_v<Device, Cpu> ? DeviceKind::cpu : DeviceKind::cuda,
                                        std::is_same_v<Activation, float> ? NumberKind::fp32 : NumberKind::bf16};

}  // namespace graft::any
