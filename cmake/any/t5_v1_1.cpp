// T5 1.1 with every strategy.
#include <graft/any/base_of.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/t5.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> wrap_base(Base<T5v11> base) { return std::make_unique<BaseOf<T5v11>>(std::move(base)); }

}  // namespace graft::any
