// LLaMA with every strategy.
#include <graft/any/base_of.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/llama.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> wrap_base(Base<Llama> base) { return std::make_unique<BaseOf<Llama>>(std::move(base)); }

}  // namespace graft::any
