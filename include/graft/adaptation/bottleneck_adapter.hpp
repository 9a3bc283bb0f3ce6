/// @file
/// @brief Bottleneck adapters: h + up(f(down(h))), after every layer (Rebuffi et al. 2017, as the prefix-tuning paper
/// uses them) or inside the sublayers (Houlsby et al. 2019; Pfeiffer et al. 2021).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/adaptation/bottleneck.hpp>
#include <graft/ops/residual.hpp>

namespace graft {

enum class AdapterPlacement {
  between_layers,  ///< one after each layer, on the residual stream
  houlsby,         ///< two a layer (three with cross-attention), on the output of each sublayer, before the addition
  pfeiffer,        ///< one a layer, on the output of the feed-forward, before the addition
};

/// Settings; the width is given directly or as a share of the model's parameters.
struct BottleneckAdapter {
  Index bottleneck = 64;
  /// > 0: the widest bottleneck whose adapters have at most this share of the model's parameters (0.03 and 0.001 in the
  /// paper)
  double share = 0.0;
  AdapterPlacement placement = AdapterPlacement::between_layers;
  Activation activation = Activation::gelu;
  double init_deviation = 0.01;  ///< of down; up starts at zero, so that the adapted model starts as the base

  static constexpr char const* name = "bottleneck_adapter";
  static constexpr char const* short_name = "adapter";
  static constexpr char const* summary = "bottleneck adapters between the layers";
  static constexpr double learning_rate = 1e-3;
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("bottleneck", self.bottleneck, "width of the network");
    visitor(
        "share", self.share,
        "if more than 0, in place of the width: the widest bottleneck whose adapters have at most this share of the "
        "model's parameters (0.03 and 0.001 in the paper)");
    visitor("placement", self.placement,
            "one after each layer, or before the addition on the output of each sublayer (houlsby) or of each "
            "feed-forward (pfeiffer)");
    visitor("activation", self.activation, "f, between down and up");
    visitor("init_deviation", self.init_deviation, "size of down's random start; up starts at zero");
  }
  /// Whether a setting has an effect beside the others.
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const&) const {
    return setting != "bottleneck" || share == 0;
  }
  /// @throws ConfigError for settings that no model can have
  void check(ModelInfo const&) const {
    if (share == 0 && bottleneck < 1)
      fail<ConfigError>("[bottleneck_adapter] got bottleneck ", bottleneck, "; expected at least 1");
  }
};

template <class Scalar, class Device>
class BottleneckAdapter::State {
 public:
  using Value = Variable<Scalar, Device>;

  State(BottleneckAdapter const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const&, RandomKey key)
      : settings_(settings) {
    settings.check(model);
    auto const slots = slots_of(model);
    Index const width = model.width, r = width_of(settings, model, static_cast<Index>(slots.size()));
    for (auto const& [prefix, at, which] : slots) {
      RandomKey own = key.with(static_cast<std::uint64_t>(2 * at.layer + (which == Sublayer::attention ? 0 : 1)));
      if (at.stack != model.main().stack) own = own.with("encoder");
      units_.add(at, which, prefix, normal<Scalar>(Shape{r, width}, own, settings.init_deviation));
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return units_.parameters(); }
  [[nodiscard]] Value after_layer(LayerAddress at, Value const& x, Rows const&) const {
    return settings_.placement == AdapterPlacement::between_layers ? apply(at, Sublayer::attention, x) : x;
  }
  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const&, Value const&, Value const& output,
                                     Rows const&) const {
    return settings_.placement == AdapterPlacement::between_layers ? output : apply(at, which, output);
  }

 private:
  /// Where an adapter stands, and the prefix of its parameters' names. One between layers counts as its layer's
  /// attention's.
  struct Slot {
    std::string prefix;
    LayerAddress at;
    Sublayer which;
  };

  [[nodiscard]] std::vector<Slot> slots_of(ModelInfo const& model) const {
    std::vector<Slot> slots;
    for (auto const& stack : model.stacks)
      for (int l = 0; l < stack.layers; ++l) {
        LayerAddress const at{stack.stack, l};
        std::string const layer = layer_name(model, at);
        if (settings_.placement == AdapterPlacement::between_layers) slots.push_back({layer, at, Sublayer::attention});
        if (settings_.placement == AdapterPlacement::houlsby)
          slots.push_back({layer + ".attention", at, Sublayer::attention});
        if (settings_.placement == AdapterPlacement::houlsby && stack.crosses)
          slots.push_back({layer + ".cross_attention", at, Sublayer::cross_attention});
        if (settings_.placement != AdapterPlacement::between_layers)
          slots.push_back({layer + ".feed_forward", at, Sublayer::feed_forward});
      }
    return slots;
  }
  static Index width_of(BottleneckAdapter const& settings, ModelInfo const& model, Index count) {
    if (settings.share == 0) return settings.bottleneck;
    double const budget = settings.share * static_cast<double>(model.parameters()) / static_cast<double>(count) -
                          static_cast<double>(model.width);
    Index const r = static_cast<Index>(budget / static_cast<double>(2 * model.width + 1));
    if (r < 1)
      fail<ConfigError>("[bottleneck_adapter] got share ", settings.share,
                        "; expected enough for a bottleneck of 1, a share of at least ",
                        static_cast<double>(count * (3 * model.width + 1)) / static_cast<double>(model.parameters()));
    return r;
  }
  [[nodiscard]] Value apply(LayerAddress at, Sublayer which, Value const& h) const {
    auto const* unit = units_.find(at, which);
    return unit ? add(h, unit->compute(h, settings_.activation)) : h;
  }

  BottleneckAdapter settings_;
  Bottlenecks<Scalar, Device> units_;
};

#ifdef GRAFT_COMPILED
extern template class BottleneckAdapter::State<float, Cpu>;
extern template class BottleneckAdapter::State<double, Cpu>;
#endif

}  // namespace graft
