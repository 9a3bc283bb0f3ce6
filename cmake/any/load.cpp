// The one place where a checkpoint's model_type becomes a type.
#include <graft/any/bases.hpp>
#include <graft/io/load_pretrained.hpp>

namespace graft::any {

std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path) {
  return visit_pretrained<Gpt2, Llama, T5, T5v11, Bart, Bert, Roberta>(
      path, [](auto base) { return wrap_base(std::move(base)); });
}

}  // namespace graft::any
