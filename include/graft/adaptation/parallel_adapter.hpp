/// @file
/// @brief Parallel adapters (He et al. 2022): a small network beside a sublayer, on the sublayer's own input.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/residual.hpp>

namespace graft {

/// Which sublayers have an adapter beside them.
enum class ParallelPlacement {
  feed_forward,
  attention,  ///< every attention, a decoder's over its encoder included
  both,
};

/// h ← h + s·up(f(down(x))), where h is a sublayer's output before its addition and x is what the sublayer reads.
struct ParallelAdapter {
  Index bottleneck = 64;
  ParallelPlacement placement = ParallelPlacement::feed_forward;
  Activation activation = Activation::relu;
  double scale = 4.0;  ///< s

  static constexpr char const* name = "parallel_adapter";
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("bottleneck", self.bottleneck);
    visitor("placement", self.placement);
    visitor("activation", self.activation);
    visitor("scale", self.scale);
  }
};

template <class Scalar, class Device>
class ParallelAdapter::State {
 public:
  using Value = Variable<Scalar, Device>;

  /// Starts as LoRA does: down uniform in ±1/√width, everything else 0, so that the adapted model starts as the base.
  State(ParallelAdapter const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const&, RandomKey key) : settings_(settings) {
    if (settings.bottleneck < 1) fail<ConfigError>("[parallel_adapter] got bottleneck ", settings.bottleneck, "; expected at least 1");
    Index const width = model.width, r = settings.bottleneck;
    for (auto const& stack : model.stacks)
      for (int layer = 0; layer < stack.layers; ++layer)
        for (auto const& [which, text] : sublayers(model, {stack.stack, layer})) {
          std::string const side = model.stacks.size() == 1 ? "" : stack.stack == Stack::encoder ? "encoder." : "decoder.";
          std::string const prefix = cat(side, layer, ".", text);
          units_.emplace(place_of({stack.stack, layer}, which),
                         Unit{{prefix + ".down.weight", linear_init<Scalar>(Shape{r, width}, width, key.with(prefix))},
                              {prefix + ".down.bias", zeros<Scalar>(Shape{r})},
                              {prefix + ".up.weight", zeros<Scalar>(Shape{width, r})},
                              {prefix + ".up.bias", zeros<Scalar>(Shape{width})}});
        }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& [place, unit] : units_)
      for (auto* parameter : {&unit.down, &unit.down_bias, &unit.up, &unit.up_bias}) all.push_back(parameter);
    return all;
  }
  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const&, Value const& input, Value const& output,
                                     Rows const&) const {
    auto const found = units_.find(place_of(at, which));
    if (found == units_.end()) return output;
    Unit const& unit = found->second;
    auto const inner = activate(linear(input, unit.down.variable(), unit.down_bias.variable()), settings_.activation);  // [rows, r]
    return add(output, graft::scale(linear(inner, unit.up.variable(), unit.up_bias.variable()), settings_.scale));
  }

 private:
  struct Unit {
    Parameter<Scalar, Device> down, down_bias, up, up_bias;
  };
  using Place = std::tuple<int, int, int>;  ///< stack, layer, sublayer

  static Place place_of(LayerAddress at, Sublayer which) { return {static_cast<int>(at.stack), at.layer, static_cast<int>(which)}; }
  /// A layer's sublayers that get an adapter, and what parameters call them.
  [[nodiscard]] std::vector<std::pair<Sublayer, char const*>> sublayers(ModelInfo const& model, LayerAddress at) const {
    std::vector<std::pair<Sublayer, char const*>> all;
    if (settings_.placement != ParallelPlacement::feed_forward) {
      all.emplace_back(Sublayer::attention, "attention");
      if (model.find({Site::cross_query, at})) all.emplace_back(Sublayer::cross_attention, "cross_attention");
    }
    if (settings_.placement != ParallelPlacement::attention) all.emplace_back(Sublayer::feed_forward, "feed_forward");
    return all;
  }

  ParallelAdapter settings_;
  std::map<Place, Unit> units_;
};

}  // namespace graft
