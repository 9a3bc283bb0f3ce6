// The one architecture whose models with every strategy are compiled for the device: those of the others differ in the
// table of sites that the same code goes through. They are those of the programs, too.
#include <graft/any/on_cuda.hpp>
#include <graft/models/llama.hpp>

#include "family_of.hpp"

namespace graft::any {
extern template std::unique_ptr<AnyBase> on_cuda<Llama, float>(Base<Llama> const&);
}

std::unique_ptr<graft::any::AnyBase> whole::every_on_cuda(Base<graft::Llama> const& base) {
  return graft::any::on_cuda<graft::Llama, float>(base);
}
std::unique_ptr<whole::Family> whole::llama() { return std::make_unique<FamilyOf<graft::Llama, Every, true>>(); }
