/// @file
/// @brief Whatever base model with a list of strategies of one's own.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

#include <graft/any/base_of.hpp>
#include <graft/any/choose.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>

namespace graft::any {

/// A base whose architecture is known, with the strategies of a list of one's own.
template <class List, Architecture A>
[[nodiscard]] std::unique_ptr<AnyBase> offer(Base<A> base) {
  return std::make_unique<BaseOf<A, List>>(std::move(base));
}

/// A Hugging Face folder or GGUF file of any of the architectures, for the strategies of `List`. Each architecture
/// named here is compiled with each strategy where this is called; name those that are needed:
/// `load_base<MyStrategies, Llama>(path)`.
/// @throws FileError for what cannot be read, and for another architecture
template <class List, Architecture... A>
[[nodiscard]] std::unique_ptr<AnyBase> load_base(std::filesystem::path const& path) {
  static_assert(sizeof...(A) > 0, "graft: name the architectures, load_base<MyStrategies, graft::Llama>(path)");
  return visit_pretrained<A...>(path, [](auto base) { return offer<List>(std::move(base)); });
}

}  // namespace graft::any
