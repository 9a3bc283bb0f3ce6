// The one place where a checkpoint's model_type becomes a type.
#include <graft/io/load_pretrained.hpp>

#include "bases.hpp"

namespace any_model {

std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path) {
  return graft::visit_pretrained<graft::Gpt2, graft::Llama, graft::T5, graft::T5v11, graft::Bart, graft::Bert,
                                 graft::Roberta>(path, [](auto base) { return wrap_base(std::move(base)); });
}

}  // namespace any_model
