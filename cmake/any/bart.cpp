// BART with every strategy.
#include <graft/any/base_of.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/bart.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> wrap_base(Base<Bart> base) { return std::make_unique<BaseOf<Bart>>(std::move(base)); }

}  // namespace graft::any
