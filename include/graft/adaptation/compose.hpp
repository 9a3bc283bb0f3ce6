/// @file
/// @brief Several strategies in one model: every hook runs through them in order.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/call_hooks.hpp>
#include <graft/core/error.hpp>

namespace graft {

/// Strategies side by side; `compose(PrefixTuning{…}, LoRA{…})` makes one. Virtual tokens and keys stand in the order
/// of the strategies. An `AdapterTable` is none of them; its adapters may be compositions.
template <class... Adaptations>
struct Composed {
  std::tuple<Adaptations...> parts;

  static constexpr char const* name = "composed";
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    std::apply([&](auto&... part) { (visitor(part.name, part, "settings of that part"), ...); }, self.parts);
  }
};

template <class... Adaptations>
[[nodiscard]] Composed<Adaptations...> compose(Adaptations... parts) {
  return {{std::move(parts)...}};
}

template <class... Adaptations>
template <class Scalar, class Device>
class Composed<Adaptations...>::State {
 public:
  using Value = Variable<Scalar, Device>;
  template <class A>
  using PartState = StateOf<A, Scalar, Device>;
  static constexpr Roles trained_roles = (trained_roles_of<PartState<Adaptations>>() | ...);

  State(Composed const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base, RandomKey key)
      : states_(make(settings, model, base, key, std::index_sequence_for<Adaptations...>())) {
    int index = 0;  // parameters are told apart by their strategy's place
    each([&](auto& state) {
      for (auto* parameter : state.parameters()) parameter->rename(cat(index, ".", parameter->name()));
      ++index;
    });
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    each([&](auto& state) {
      auto const own = state.parameters();
      all.insert(all.end(), own.begin(), own.end());
    });
    return all;
  }
  using Step = std::tuple<StepOf<PartState<Adaptations>>...>;  ///< those of the parts

  [[nodiscard]] Step prepare(StepContext const& context) const {
    return std::apply([&](auto const&... state) { return Step{detail::call_prepare(state, context)...}; }, states_);
  }
  void announce(Additions& additions) const requires(HasAnnounce<PartState<Adaptations>> || ...) {
    each([&](auto const& state) {
      if constexpr (HasAnnounce<std::remove_cvref_t<decltype(state)>>) state.announce(additions);
    });
  }
  void virtual_tokens(EmbeddingList<Scalar, Device>& embeddings, Step const& step) const
      requires(HasVirtualTokens<PartState<Adaptations>, Scalar, Device> || ...) {
    each(step, [&](auto const& state, auto const& own) {
      if constexpr (HasVirtualTokens<std::remove_cvref_t<decltype(state)>, Scalar, Device>)
        detail::call_virtual_tokens(state, own, embeddings);
    });
  }
  void virtual_keys_values(LayerAddress at, AttentionKind kind, BankList<Scalar, Device>& banks, Step const& step) const
      requires(HasVirtualKeysValues<PartState<Adaptations>, Scalar, Device> || ...) {
    each(step, [&](auto const& state, auto const& own) {
      if constexpr (HasVirtualKeysValues<std::remove_cvref_t<decltype(state)>, Scalar, Device>)
        detail::call_virtual_keys_values(state, own, at, kind, banks);
    });
  }
  /// The first strategy is the innermost around the linear map.
  template <class Linear>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Linear const& linear, Rows const& rows,
                              Step const& step) const
      requires(HasProject<PartState<Adaptations>, Scalar, Device> || ...) {
    return project_with<sizeof...(Adaptations)>(site, x, linear, rows, step);
  }
  [[nodiscard]] ProductChange changes(SiteAddress const& site) const {
    ProductChange most = ProductChange::none;
    each([&](auto const& state) {
      if constexpr (HasProject<std::remove_cvref_t<decltype(state)>, Scalar, Device>)
        most = std::max(most, product_change(state, site));
    });
    return most;
  }
  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const& residual, Value const& input,
                                     Value output, Rows const& rows, Step const& step) const
      requires(HasAfterSublayer<PartState<Adaptations>, Scalar, Device> || ...) {
    each(step, [&](auto const& state, auto const& own) {
      if constexpr (HasAfterSublayer<std::remove_cvref_t<decltype(state)>, Scalar, Device>)
        output = detail::call_after_sublayer(state, own, at, which, residual, input, output, rows);
    });
    return output;
  }
  [[nodiscard]] Value after_layer(LayerAddress at, Value x, Rows const& rows, Step const& step) const
      requires(HasAfterLayer<PartState<Adaptations>, Scalar, Device> || ...) {
    each(step, [&](auto const& state, auto const& own) {
      if constexpr (HasAfterLayer<std::remove_cvref_t<decltype(state)>, Scalar, Device>)
        x = detail::call_after_layer(state, own, at, x, rows);
    });
    return x;
  }
  [[nodiscard]] Value const* trained(SiteAddress const& site, Part part) const
      requires(HasTrained<PartState<Adaptations>> || ...) {
    Value const* found = nullptr;
    each([&](auto const& state) {
      if constexpr (requires { state.trained(site, part); })
        if (!found) found = state.trained(site, part);
    });
    return found;
  }

  /// The state of the i-th strategy.
  template <std::size_t i>
  [[nodiscard]] auto& part() {
    return std::get<i>(states_);
  }
  template <std::size_t i>
  [[nodiscard]] auto const& part() const {
    return std::get<i>(states_);
  }

 private:
  template <std::size_t... i>
  static std::tuple<PartState<Adaptations>...> make(Composed const& settings, ModelInfo const& model,
                                                    BaseAccess<Scalar, Device> const& base, RandomKey key,
                                                    std::index_sequence<i...>) {
    return {PartState<Adaptations>(std::get<i>(settings.parts), model, base, key.with(i))...};
  }
  template <std::size_t count, class Linear>
  [[nodiscard]] Value project_with(SiteAddress const& site, Value const& x, Linear const& linear, Rows const& rows,
                                   Step const& step) const {
    if constexpr (count == 0) {
      return linear(x);
    } else {
      auto const& outermost = std::get<count - 1>(states_);
      auto const inner = [&](Value const& input) { return project_with<count - 1>(site, input, linear, rows, step); };
      if constexpr (HasProject<std::remove_cvref_t<decltype(outermost)>, Scalar, Device>)
        return detail::call_project(outermost, std::get<count - 1>(step), site, x, inner, rows);
      else
        return inner(x);
    }
  }
  template <class F>
  void each(F const& f) {
    std::apply([&](auto&... state) { (f(state), ...); }, states_);
  }
  template <class F>
  void each(F const& f) const {
    std::apply([&](auto const&... state) { (f(state), ...); }, states_);
  }

  /// f(state, step) of every part.
  template <class F>
  void each(Step const& step, F const& f) const {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (f(std::get<i>(states_), std::get<i>(step)), ...);
    }(std::index_sequence_for<Adaptations...>());
  }

  std::tuple<PartState<Adaptations>...> states_;
};

}  // namespace graft
