#include <graft/models/t5.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::t5_v1_1() {
  return std::make_unique<FamilyOf<graft::T5v11, OwnWeights, false>>();
}
