// The one architecture whose models with every strategy are compiled: those of the others differ in the table of sites
// that the same code goes through.
#include <graft/models/gpt2.hpp>

#include "family_of.hpp"

std::unique_ptr<whole::Family> whole::gpt2() {
  using Every = graft::any::OfferedTo<graft::any::Strategies, graft::Gpt2>;
  return std::make_unique<FamilyOf<graft::Gpt2, Every, true>>();
}
