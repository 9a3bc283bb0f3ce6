/// @file
/// @brief Where a model that is chosen at run time computes, and in which numbers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace graft::any {

/// What holds the weights and runs the kernels.
enum class DeviceKind { cpu, cuda };

/// The type of activations; `bf16` on a GPU rounds frozen matrices, too. What is trained is float32 in any case.
enum class NumberKind { fp32, bf16 };

/// A device and a type of numbers. On the host activations are float32. Frozen matrices stay as the file has them.
struct Placement {
  DeviceKind device = DeviceKind::cpu;
  NumberKind numbers = NumberKind::fp32;

  friend bool operator==(Placement const&, Placement const&) = default;
};

/// `cpu`, `cuda`
[[nodiscard]] std::string to_string(DeviceKind device);
/// `fp32`, `bf16`
[[nodiscard]] std::string to_string(NumberKind numbers);
/// As in `cuda, bf16`.
[[nodiscard]] std::string to_string(Placement const& placement);

/// Those that the program is built for: the host in float32 with graft::any; with graft::any_cuda also the GPU in both
/// types of numbers.
[[nodiscard]] std::vector<Placement> const& placements();

namespace detail {
/// Refuses a placement that is not among those of the program.
void check_among(Placement const& placement, std::vector<Placement> const& all);
}  // namespace detail
/// Refuses a placement that the program is not built for. @throws ConfigError, one sentence
void check_built(Placement const& placement);
/// The same, and a GPU that this machine does not have. @throws ConfigError, one sentence
void check(Placement const& placement);

/// The most bytes of the device that tensors have held at a time since the process began; 0 for the host, whose
/// processes are measured by the system.
[[nodiscard]] std::size_t peak_bytes(DeviceKind device);

}  // namespace graft::any
