// Adapters whose strategy is forgotten: they are the same for all architectures, so they compile once.
#pragma once

#include <memory>

#include <graft/adaptation/any_adapter.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/any/choice.hpp>

namespace whole {

/// For a table. It starts with the numbers that `adapt` gives the strategy; null where that trains the model's own
/// weights, which no adapter of a table does.
template <class Scalar, class Device>
[[nodiscard]] std::shared_ptr<graft::AnyAdapter<Scalar, Device>> make_adapter(
    graft::any::Choice const& choice, graft::ModelInfo const& info, graft::BaseAccess<Scalar, Device> const& access);

}  // namespace whole
