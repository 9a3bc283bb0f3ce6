// BERT with every strategy.
#include <graft/any/base_of.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/bert.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> wrap_base(Base<Bert> base) { return std::make_unique<BaseOf<Bert>>(std::move(base)); }

}  // namespace graft::any
