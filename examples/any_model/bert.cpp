// BERT with every strategy.
#include <graft/models/bert.hpp>

#include "adapted.hpp"
#include "bases.hpp"

namespace any_model {

std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Bert> base) {
  return std::make_unique<BaseOf<graft::Bert>>(std::move(base));
}

}  // namespace any_model
