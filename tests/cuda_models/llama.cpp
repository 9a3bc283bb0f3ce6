#include <graft/models/llama.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::llama() { return std::make_unique<FamilyOf<graft::Llama, OwnWeights, true>>(); }
