// The one template behind `Family`.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include <graft/adaptation/adapter_table.hpp>
#include <graft/any/adapt_chosen.hpp>
#include <graft/any/adapted_transformer.hpp>
#include <graft/any/bases.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/t5.hpp>
#include <graft/models/to_device.hpp>

#include "adapters.hpp"
#include "family.hpp"
#include "model/small_model.hpp"

namespace whole {

using graft::Base, graft::Cpu, graft::Cuda;

/// What a table cannot have: it trains the model's own weights, or nothing.
using OwnWeights = graft::any::TypeList<graft::NoAdaptation, graft::FullFineTuning, graft::BitFit, graft::TopLayers>;

/// In place of a list of settings: every strategy, as graft::any_cuda has them.
struct Every {};
/// Of graft::any_cuda, which has them compiled.
[[nodiscard]] std::unique_ptr<graft::any::AnyBase> every_on_cuda(Base<graft::Llama> const& base);

/// Two layers; LLaMA's heads share keys and values, and have biases, so that BitFit trains something. T5's activation
/// is ReLU where it has no gate. An inner width of 24 is one that cuBLASLt stores inputs of a GELU for.
template <graft::Architecture A>
[[nodiscard]] graft::ModelConfig config() {
  auto config = small::config<A>();
  config.layers = 2;
  config.inner = 24;
  if constexpr (std::is_same_v<A, graft::T5>) config.activation = graft::Activation::relu;
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
  return std::make_shared<graft::any::AdaptedTransformer<M>>(std::move(model));
}

/// @tparam Direct the settings that `by_itself` is about, or `Every`
/// @tparam numbers `in_other_numbers`
template <graft::Architecture A, class Direct, bool numbers>
class FamilyOf final : public Family {
 public:
  [[nodiscard]] std::string name() const override { return std::string(A::model_type); }
  [[nodiscard]] graft::ModelInfo const& info() const override { return host_->info(); }

  [[nodiscard]] bool by_itself(graft::any::Choice const& choice) const override {
    if constexpr (std::is_same_v<Direct, Every>) return true;
    auto const among = [](auto const& settings) {
      return graft::any::detail::is_among<std::remove_cvref_t<decltype(settings)>, Direct>;
    };
    return std::visit(among, graft::any::choose<graft::any::Strategies>(choice, info()).settings);
  }
  [[nodiscard]] bool in_other_numbers() const override { return numbers; }

  [[nodiscard]] std::unique_ptr<graft::any::AnyModel> on_host(graft::any::Choice const& choice) const override {
    return graft::any::wrap_base(host_)->adapt(choice);
  }
  [[nodiscard]] Model<float, Cuda> on_device(graft::any::Choice const& choice) const override {
    if constexpr (std::is_same_v<Direct, Every>) {
      std::shared_ptr<graft::any::AnyModel> const model = every_on_cuda(host_)->adapt(choice);
      return {model, &graft::any::erased_as<float, Cuda>(*model)};
    } else {
      Model<float, Cuda> made;
      graft::any::adapt_chosen<graft::any::Strategies, Direct>(device(), choice,
                                                               [&](auto model) { made = erased(std::move(model)); });
      return made;
    }
  }
  [[nodiscard]] Model<float, Cpu> table_on_host(Choices const& adapters) const override {
    return table<float>(host_, adapters);
  }
  [[nodiscard]] Model<float, Cuda> table_on_device(Choices const& adapters) const override {
    return table<float>(device(), adapters);
  }
  [[nodiscard]] Model<double, Cpu> double_on_host([[maybe_unused]] Choices const& adapters) const override {
    if constexpr (numbers)
      return table<double>(double_, adapters);
    else
      return nullptr;
  }
  [[nodiscard]] Model<double, Cuda> double_on_device([[maybe_unused]] Choices const& adapters) const override {
    if constexpr (numbers)
      return table<double>(graft::to_device<Cuda>(double_), adapters);
    else
      return nullptr;
  }
  [[nodiscard]] Model<graft::bfloat16, Cuda> bfloat16_on_device(
      [[maybe_unused]] Choices const& adapters) const override {
    if constexpr (numbers)
      return table<graft::bfloat16>(device(), adapters);
    else
      return nullptr;
  }

 private:
  template <class Activation, class Scalar, class Device>
  [[nodiscard]] static Model<Activation, Device> table(Base<A, Scalar, Device> const& base, Choices const& adapters) {
    auto model = graft::adapt<graft::PrecisionOf<Activation>>(base, graft::AdapterTable{});
    auto const access = graft::access<A, Scalar, Device>(base);
    for (auto const& choice : adapters) model.state().add(make_adapter(choice, base->info(), access));
    return erased(std::move(model));
  }
  /// Where there is no device, nobody asks.
  [[nodiscard]] Base<A, float, Cuda> const& device() const {
    if (!device_) device_ = graft::to_device<Cuda>(host_);
    return device_;
  }

  /// Two stacks of weights as large as a decoder's would amplify what is rounded.
  static constexpr double deviation = A::stacks == graft::StackKind::encoder_decoder ? 0.2 : 0.35;

  Base<A> host_ = small::base<A, float>(3, config<A>(), deviation);
  Base<A, double> double_ = numbers ? small::base<A, double>(3, config<A>(), deviation) : nullptr;
  mutable Base<A, float, Cuda> device_;
};

}  // namespace whole
