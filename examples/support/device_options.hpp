/// @file
/// @brief Where a program's model computes, and in which numbers, as options.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <graft/any/placement.hpp>
#include <graft/core/profile.hpp>
#include <graft/train/training.hpp>

#include "support/memory.hpp"
#include "support/option_group.hpp"
#include "support/option_rules.hpp"

namespace support {

/// The options --device and --dtype.
class DeviceOptions {
 public:
  void add_to(OptionGroup const& option) {
    option("--device", device_, "What computes: cpu, or cuda, an NVIDIA GPU", CLI::IsMember({"cpu", "cuda"}));
    option("--dtype", dtype_,
           "Numbers of the activations: fp32, or bf16, which needs cuda and rounds frozen matrices, too; what is "
           "trained is fp32 (default: fp32 on cpu, bf16 on cuda)",
           CLI::IsMember({"fp32", "bf16"}));
  }
  [[nodiscard]] graft::any::Placement placement() const {
    using graft::any::DeviceKind, graft::any::NumberKind;
    bool const cuda = device_ == "cuda";
    return {cuda ? DeviceKind::cuda : DeviceKind::cpu,
            dtype_ == "bf16" || (cuda && dtype_.empty()) ? NumberKind::bf16 : NumberKind::fp32};
  }
  /// Refuses at once what this program or this machine does not have. @throws UsageError, ConfigError
  void check() const {
    if (device_ == "cuda" && graft::is_profiled())
      throw UsageError(
          "--profile is for the processor; got it with --device cuda; hint: nsys profile shows a GPU's kernels");
    as_usage(device_ == "cuda" ? "--device" : "--dtype", [&] { graft::any::check_built(placement()); });
    graft::any::check(placement());
  }

 private:
  std::string device_ = "cpu", dtype_;
};

/// Most tokens of a training's pass where the command line does not say: a GPU wants larger products than the host.
[[nodiscard]] inline graft::Index usual_max_tokens(graft::any::Placement const& placement) {
  return placement.device == graft::any::DeviceKind::cuda ? 8192 : graft::Training().max_tokens;
}

/// The most MiB that tensors have held on a GPU at a time.
[[nodiscard]] inline double peak_device_memory_mib(graft::any::Placement const& placement) {
  return static_cast<double>(graft::any::peak_bytes(placement.device)) / (1024.0 * 1024.0);
}

/// Adds what a program's work cost in memory, and where it was done: "device", "dtype", "peak_memory_mib" of the
/// host, and "peak_device_memory_mib" of a GPU.
template <class Json>
void add_memory(Json& summary, graft::any::Placement const& placement) {
  summary["device"] = to_string(placement.device), summary["dtype"] = to_string(placement.numbers);
  summary["peak_memory_mib"] = peak_memory_mib();
  if (placement.device == graft::any::DeviceKind::cuda)
    summary["peak_device_memory_mib"] = peak_device_memory_mib(placement);
}

}  // namespace support
