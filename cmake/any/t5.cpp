// T5 with every strategy.
#include <graft/any/base_of.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/t5.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> wrap_base(Base<T5> base) { return std::make_unique<BaseOf<T5>>(std::move(base)); }

}  // namespace graft::any
