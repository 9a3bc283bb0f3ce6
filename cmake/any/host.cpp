// Placements of a program without a GPU's code.
#include <graft/any/placement.hpp>

namespace graft::any {

std::vector<Placement> const& placements() {
  static std::vector<Placement> const all{{}};
  return all;
}
void check_built(Placement const& placement) { detail::check_among(placement, placements()); }
void check(Placement const& placement) { check_built(placement); }
std::size_t peak_bytes(DeviceKind) { return 0; }

}  // namespace graft::any
