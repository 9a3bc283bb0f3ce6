// BART with every strategy.
#include <graft/models/bart.hpp>

#include "adapted.hpp"
#include "bases.hpp"

namespace any_model {

std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Bart> base) {
  return std::make_unique<BaseOf<graft::Bart>>(std::move(base));
}

}  // namespace any_model
