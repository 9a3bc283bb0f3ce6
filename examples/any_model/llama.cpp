// LLaMA with every strategy.
#include <graft/models/llama.hpp>

#include "adapted.hpp"
#include "bases.hpp"

namespace any_model {

std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Llama> base) {
  return std::make_unique<BaseOf<graft::Llama>>(std::move(base));
}

}  // namespace any_model
