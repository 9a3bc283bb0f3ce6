// The one template behind `Family`.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <graft/adaptation/adapter_table.hpp>
#include <graft/any/adapt_chosen.hpp>
#include <graft/any/adapted_transformer.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/to_device.hpp>

#include "family.hpp"
#include "model/small_model.hpp"

namespace whole {

using graft::Base, graft::Cpu, graft::Cuda;

/// The strategies whose models are compiled in double, too, and in bfloat16: what differs between the rest is the
/// same in every type.
using DoubleStrategies =
    graft::any::TypeList<graft::PrefixTuning, graft::LoRA, graft::PTuning, graft::IA3, graft::BottleneckAdapter>;
using Bfloat16Strategies = graft::any::TypeList<graft::PrefixTuning, graft::LoRA>;

/// Two layers; LLaMA's heads share keys and values, and have biases, so that BitFit trains something.
template <graft::Architecture A>
[[nodiscard]] graft::ModelConfig config() {
  auto config = small::config<A>();
  config.layers = 2;
  if constexpr (A::positions == graft::PositionKind::rotary) {
    config.width = 32;
    config.heads = 4, config.kv_heads = 2, config.head_dim = 8;
    config.inverse_frequency = graft::rotary_frequencies(config.head_dim, 50.0);
    config.attention_bias = true;
  }
  return config;
}

template <class M>
[[nodiscard]] Model<typename M::activation_type, typename M::device_type> erased(M model) {
  return std::make_unique<graft::any::AdaptedTransformer<M>>(std::move(model));
}

template <class Scalar, class Device, graft::Architecture A>
[[nodiscard]] Model<Scalar, Device> table(Base<A, Scalar, Device> const& base) {
  auto model = graft::adapt(base, graft::AdapterTable{});
  graft::add_adapter(model, graft::PrefixTuning{.length = 2}, 1);
  graft::add_adapter(model, graft::LoRA{.rank = 2}, 2);
  graft::add_adapter(model, graft::BottleneckAdapter{.bottleneck = 3}, 3);
  return erased(std::move(model));
}

template <graft::Architecture A, bool has_double, bool has_bfloat16>
class FamilyOf final : public Family {
 public:
  [[nodiscard]] std::string name() const override { return std::string(A::model_type); }
  [[nodiscard]] graft::ModelInfo const& info() const override { return host_->info(); }
  [[nodiscard]] bool in_double() const override { return has_double; }
  [[nodiscard]] bool in_bfloat16() const override { return has_bfloat16; }

  [[nodiscard]] std::unique_ptr<graft::any::AnyModel> on_host(graft::any::Choice const& choice) const override {
    return graft::any::wrap_base(host_)->adapt(choice);
  }
  [[nodiscard]] Model<float, Cuda> on_device(graft::any::Choice const& choice) const override {
    return chosen<graft::any::OfferedTo<graft::any::Strategies, A>>(device(), choice);
  }
  [[nodiscard]] Model<double, Cpu> double_on_host(graft::any::Choice const& choice) const override {
    if constexpr (has_double)
      return chosen<DoubleStrategies>(double_, choice);
    else
      return none<double, Cpu>(choice);
  }
  [[nodiscard]] Model<double, Cuda> double_on_device(graft::any::Choice const& choice) const override {
    if constexpr (has_double)
      return chosen<DoubleStrategies>(graft::to_device<Cuda>(double_), choice);
    else
      return none<double, Cuda>(choice);
  }
  [[nodiscard]] Model<graft::bfloat16, Cuda> bfloat16_on_device(graft::any::Choice const& choice) const override {
    Model<graft::bfloat16, Cuda> made = none<graft::bfloat16, Cuda>(choice);
    if constexpr (has_bfloat16)
      graft::any::adapt_chosen<graft::any::Strategies, Bfloat16Strategies>(device(), choice, [&](auto model) {
        made = erased(graft::with_precision<graft::Bfloat16>(std::move(model)));
      });
    return made;
  }
  [[nodiscard]] Model<float, Cpu> table_on_host() const override { return table(host_); }
  [[nodiscard]] Model<float, Cuda> table_on_device() const override { return table(device()); }

 private:
  template <class Types, class Scalar, class Device>
  [[nodiscard]] static Model<Scalar, Device> chosen(Base<A, Scalar, Device> const& base,
                                                    graft::any::Choice const& choice) {
    Model<Scalar, Device> made;
    graft::any::adapt_chosen<graft::any::Strategies, Types>(base, choice,
                                                            [&](auto model) { made = erased(std::move(model)); });
    return made;
  }
  template <class Activation, class Device>
  [[nodiscard]] static Model<Activation, Device> none(graft::any::Choice const&) {
    return nullptr;
  }
  /// Where there is no device, nobody asks.
  [[nodiscard]] Base<A, float, Cuda> const& device() const {
    if (!device_) device_ = graft::to_device<Cuda>(host_);
    return device_;
  }

  Base<A> host_ = small::base<A, float>(3, config<A>());
  Base<A, double> double_ = has_double ? small::base<A, double>(3, config<A>()) : nullptr;
  mutable Base<A, float, Cuda> device_;
};

}  // namespace whole
