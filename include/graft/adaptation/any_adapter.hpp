/// @file
/// @brief A strategy's state whose type is forgotten: its hooks behind virtual functions, its step as a value of any
/// type.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/bank_rows.hpp>
#include <graft/adaptation/call_hooks.hpp>

namespace graft {

/// A view of a linear map, for as long as a hook is called.
template <class Scalar, class Device>
class AnyLinear {
 public:
  using Value = Variable<Scalar, Device>;

  template <class Linear>
  explicit AnyLinear(Linear const& linear)
      : linear_(&linear),
        call_([](void const* any, Value const& x) -> Value { return (*static_cast<Linear const*>(any))(x); }) {}
  [[nodiscard]] Value operator()(Value const& x) const { return call_(linear_, x); }

 private:
  void const* linear_;
  Value (*call_)(void const*, Value const&);
};

/// The hooks of any strategy that trains none of the model's own weights. Those that it lacks change nothing.
template <class Scalar, class Device>
class AnyAdapter {
 public:
  using Value = Variable<Scalar, Device>;
  using Step = std::shared_ptr<void const>;  ///< of `prepare` of the same adapter
  using Linear = AnyLinear<Scalar, Device>;

  virtual ~AnyAdapter() = default;
  [[nodiscard]] virtual std::vector<Parameter<Scalar, Device>*> parameters() = 0;
  /// @param storages gets those of the step's banks, which may be moved while nobody else has the step
  [[nodiscard]] virtual Step prepare(StepContext const& context, BankRowsList<Scalar, Device>& storages) const = 0;
  virtual void announce(Additions& additions) const = 0;
  virtual void virtual_tokens(EmbeddingList<Scalar, Device>& embeddings, Step const& step) const = 0;
  virtual void virtual_keys_values(LayerAddress at, AttentionKind kind, BankList<Scalar, Device>& banks,
                                   Step const& step) const = 0;
  /// What `project` does at a site.
  [[nodiscard]] virtual ProductChange changes(SiteAddress const& site) const = 0;
  [[nodiscard]] virtual Value project(SiteAddress const& site, Value const& x, Linear const& linear, Rows const& rows,
                                      Step const& step) const = 0;
  [[nodiscard]] virtual bool has_after_sublayer() const = 0;
  [[nodiscard]] virtual Value after_sublayer(LayerAddress at, Sublayer which, Value const& residual, Value const& input,
                                             Value const& output, Rows const& rows, Step const& step) const = 0;
  [[nodiscard]] virtual bool has_after_layer() const = 0;
  [[nodiscard]] virtual Value after_layer(LayerAddress at, Value const& x, Rows const& rows,
                                          Step const& step) const = 0;
};

namespace detail {

/// A state behind `AnyAdapter`; whoever else holds the state shares its parameters.
template <class State, class Scalar, class Device>
class AdapterOf final : public AnyAdapter<Scalar, Device> {
  static_assert(!HasTrained<State>,
                "graft: an adapter of a table may not train the model's own weights (fine-tuning, BitFit, a "
                "classification head), which "
                "all rows share; make a model of it");
  static_assert(!HasAdapters<State>, "graft: a table of adapters holds no other table; add that one's adapters");

 public:
  using Base = AnyAdapter<Scalar, Device>;
  using typename Base::Linear;
  using typename Base::Step;
  using typename Base::Value;

  explicit AdapterOf(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::vector<Parameter<Scalar, Device>*> parameters() override { return state_->parameters(); }
  Step prepare(StepContext const& context, BankRowsList<Scalar, Device>& storages) const override {
    auto step = std::make_shared<StepOf<State>>(call_prepare(std::as_const(*state_), context));
    list_bank_rows(*step, storages);
    return step;
  }
  void announce([[maybe_unused]] Additions& additions) const override {
    if constexpr (HasAnnounce<State>) std::as_const(*state_).announce(additions);
  }
  void virtual_tokens([[maybe_unused]] EmbeddingList<Scalar, Device>& embeddings,
                      [[maybe_unused]] Step const& step) const override {
    if constexpr (HasVirtualTokens<State, Scalar, Device>)
      call_virtual_tokens(std::as_const(*state_), own(step), embeddings);
  }
  void virtual_keys_values([[maybe_unused]] LayerAddress at, [[maybe_unused]] AttentionKind kind,
                           [[maybe_unused]] BankList<Scalar, Device>& banks,
                           [[maybe_unused]] Step const& step) const override {
    if constexpr (HasVirtualKeysValues<State, Scalar, Device>)
      call_virtual_keys_values(std::as_const(*state_), own(step), at, kind, banks);
  }
  ProductChange changes([[maybe_unused]] SiteAddress const& site) const override {
    if constexpr (HasProject<State, Scalar, Device>)
      return product_change(std::as_const(*state_), site);
    else
      return ProductChange::none;
  }
  Value project([[maybe_unused]] SiteAddress const& site, Value const& x, Linear const& linear,
                [[maybe_unused]] Rows const& rows, [[maybe_unused]] Step const& step) const override {
    if constexpr (HasProject<State, Scalar, Device>)
      return call_project(std::as_const(*state_), own(step), site, x, linear, rows);
    else
      return linear(x);
  }
  bool has_after_sublayer() const override { return HasAfterSublayer<State, Scalar, Device>; }
  Value after_sublayer([[maybe_unused]] LayerAddress at, [[maybe_unused]] Sublayer which,
                       [[maybe_unused]] Value const& residual, [[maybe_unused]] Value const& input, Value const& output,
                       [[maybe_unused]] Rows const& rows, [[maybe_unused]] Step const& step) const override {
    if constexpr (HasAfterSublayer<State, Scalar, Device>)
      return call_after_sublayer(std::as_const(*state_), own(step), at, which, residual, input, output, rows);
    else
      return output;
  }
  bool has_after_layer() const override { return HasAfterLayer<State, Scalar, Device>; }
  Value after_layer([[maybe_unused]] LayerAddress at, Value const& x, [[maybe_unused]] Rows const& rows,
                    [[maybe_unused]] Step const& step) const override {
    if constexpr (HasAfterLayer<State, Scalar, Device>)
      return call_after_layer(std::as_const(*state_), own(step), at, x, rows);
    else
      return x;
  }

 private:
  static StepOf<State> const& own(Step const& step) { return *static_cast<StepOf<State> const*>(step.get()); }

  std::shared_ptr<State> state_;
};

}  // namespace detail
}  // namespace graft
