#include "adapters.hpp"

#include <type_traits>
#include <variant>

#include <graft/adaptation/adapter_table.hpp>
#include <graft/adaptation/compose.hpp>
#include <graft/any/chosen.hpp>

namespace whole {

using namespace graft;

template <class Scalar, class Device>
std::shared_ptr<AnyAdapter<Scalar, Device>> make_adapter(any::Choice const& choice, ModelInfo const& info,
                                                         BaseAccess<Scalar, Device> const& access) {
  std::shared_ptr<AnyAdapter<Scalar, Device>> made;
  std::visit(
      [&](auto const& settings) {
        using State = StateOf<std::remove_cvref_t<decltype(settings)>, Scalar, Device>;
        if constexpr (!HasTrained<State>)
          made = std::make_shared<graft::detail::AdapterOf<State, Scalar, Device>>(
              std::make_shared<State>(settings, info, access, RandomKey(choice.seed).with("adaptation")));
      },
      any::choose<any::Strategies>(choice, info).settings);
  return made;
}

template std::shared_ptr<AnyAdapter<float, Cpu>> make_adapter(any::Choice const&, ModelInfo const&,
                                                              BaseAccess<float, Cpu> const&);
template std::shared_ptr<AnyAdapter<float, Cuda>> make_adapter(any::Choice const&, ModelInfo const&,
                                                               BaseAccess<float, Cuda> const&);
template std::shared_ptr<AnyAdapter<double, Cpu>> make_adapter(any::Choice const&, ModelInfo const&,
                                                               BaseAccess<double, Cpu> const&);
template std::shared_ptr<AnyAdapter<double, Cuda>> make_adapter(any::Choice const&, ModelInfo const&,
                                                                BaseAccess<double, Cuda> const&);

}  // namespace whole
