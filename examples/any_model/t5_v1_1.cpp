// T5 1.1 with every strategy.
#include <graft/models/t5.hpp>

#include "adapted.hpp"
#include "bases.hpp"

namespace any_model {

std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::T5v11> base) {
  return std::make_unique<BaseOf<graft::T5v11>>(std::move(base));
}

}  // namespace any_model
