/// @file
/// @brief One function for each architecture, defined in its own source file so that they compile apart.
#pragma once

#include <graft/models/bart.hpp>
#include <graft/models/bert.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/models/t5.hpp>

#include "any_model.hpp"

namespace any_model {

[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Gpt2> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Llama> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::T5> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::T5v11> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Bart> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Bert> base);
[[nodiscard]] std::unique_ptr<AnyBase> wrap_base(graft::Base<graft::Roberta> base);

}  // namespace any_model
