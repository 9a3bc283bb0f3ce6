#include <graft/models/bert.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::bert() { return std::make_unique<FamilyOf<graft::Bert, true, false>>(); }
