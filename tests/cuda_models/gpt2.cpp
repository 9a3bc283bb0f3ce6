#include <graft/models/gpt2.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::gpt2() { return std::make_unique<FamilyOf<graft::Gpt2, OwnWeights, true>>(); }
