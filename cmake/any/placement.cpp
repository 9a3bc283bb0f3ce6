// What can be said of placements without a GPU's code.
#include <graft/any/placement.hpp>

#include <algorithm>

#include <graft/core/error.hpp>

namespace graft::any {

std::string to_string(DeviceKind device) { return device == DeviceKind::cuda ? "cuda" : "cpu"; }
std::string to_string(NumberKind numbers) { return numbers == NumberKind::bf16 ? "bf16" : "fp32"; }
std::string to_string(Placement const& placement) {
  return to_string(placement.device) + ", " + to_string(placement.numbers);
}

void detail::check_among(Placement const& placement, std::vector<Placement> const& all) {
  if (std::find(all.begin(), all.end(), placement) != all.end()) return;
  if (placement.device == DeviceKind::cpu)
    fail<ConfigError>(
        "[dtype] got bf16 on the cpu; expected fp32; hint: bf16 is for cuda; a C++ program of one's own "
        "has it on the cpu, too: adapt<Bfloat16>(base, strategy)");
  fail<ConfigError>(
      "[device] got cuda; expected cpu: this program is built without a GPU's code; hint: programs have "
      "it that link graft::any_cuda, graft's own where they are configured with "
      "-DGRAFT_PROGRAMS_ON_CUDA=ON");
}

}  // namespace graft::any
