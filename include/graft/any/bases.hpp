/// @file
/// @brief A base whose architecture is known, with the strategies of the list `Strategies`. Each function is compiled
/// in a source of its own, so that they compile apart.
#pragma once

#include <memory>

#include <graft/any/any_model.hpp>
#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/models/t5.hpp>

namespace graft::any {

[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<Gpt2> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<Llama> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<T5> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<T5v11> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<Bart> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<Bert> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(Base<Roberta> base);

}  // namespace graft::any
