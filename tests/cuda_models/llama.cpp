// The one architecture whose models with every strategy are compiled for the device: those of the others differ in the
// table of sites that the same code goes through. They are those of the programs, too.
#include <graft/any/on_cuda.hpp>
#include <graft/models/llama.hpp>

#include "family_of.hpp"

extern template std::unique_ptr<graft::any::AnyBase> graft::any::on_cuda<graft::Llama, float>(
    graft::Base<graft::Llama> const&);

std::unique_ptr<whole::Family> whole::llama() { return std::make_unique<FamilyOf<graft::Llama, Every, true>>(); }
