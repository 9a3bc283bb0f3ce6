#include <graft/models/bert.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::roberta() { return std::make_unique<FamilyOf<graft::Roberta, false, false>>(); }
