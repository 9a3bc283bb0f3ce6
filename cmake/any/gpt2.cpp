// GPT-2 with every strategy.
#include <graft/any/base_of.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/gpt2.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> wrap_base(Base<Gpt2> base) { return std::make_unique<BaseOf<Gpt2>>(std::move(base)); }

}  // namespace graft::any
