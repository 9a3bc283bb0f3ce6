#include <graft/models/bart.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::bart() { return std::make_unique<FamilyOf<graft::Bart, OwnWeights, false>>(); }
