/// @file
/// @brief `add_adapter(table, …)`: adapters join a model that has a table of them.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <graft/adaptation/adapter_table.hpp>
#include <graft/models/adapt.hpp>

namespace graft {

/// A model whose rows choose among adapters.
template <Architecture A, class Scalar = float, class Device = Cpu>
using TableModel = Transformer<A, AdapterTable, Scalar, Device>;

/// Takes the adapter of a model over the same base, freshly made, trained or loaded, into the table; both share its
/// parameters. Not while an optimizer or a training of the table exists. Strategies that train the model's own weights
/// do not compile here.
/// @returns its number, for `Rows::adapter`: the first is 0
/// @throws ConfigError for a model over another base
template <Architecture A, class Adaptation, class Scalar, class Device>
Index add_adapter(TableModel<A, Scalar, Device>& table, Transformer<A, Adaptation, Scalar, Device> model) {
  using Number = ParameterOf<Scalar>;
  using Adapter = detail::AdapterOf<StateOf<Adaptation, Number, Device>, Number, Device>;
  if (table.base() != model.base())
    fail<ConfigError>("[adapter_table] got an adapter on another base than the table; expected one shared base");
  auto settings = settings_list(model.settings());
  if (model.seed()) settings.push_back({"seed", static_cast<std::int64_t>(*model.seed())});
  return table.state().add(std::make_shared<Adapter>(model.shared_state()), std::move(settings));
}
/// The same of a new adapter; `seed` addresses its random start, as in `adapt`.
template <class Adaptation, Architecture A, class Scalar, class Device>
Index add_adapter(TableModel<A, Scalar, Device>& table, Adaptation settings, std::uint64_t seed = 0) {
  return add_adapter(table, adapt<PrecisionOf<Scalar>>(table.base(), std::move(settings), seed));
}
/// Takes an adapter out. The others keep their numbers, and their rows' results their bits. Not while an optimizer or a
/// training of the table exists: it refers to the adapter's parameters.
/// @throws ConfigError where the table has none of this number
template <Architecture A, class Scalar, class Device>
void remove_adapter(TableModel<A, Scalar, Device>& table, Index number) {
  table.state().remove(number);
}

}  // namespace graft
