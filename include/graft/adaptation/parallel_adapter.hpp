/// @file
/// @brief Parallel adapters (He et al. 2022): a small network beside a sublayer, on the sublayer's own input.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/bottleneck.hpp>
#include <graft/adaptation/init.hpp>
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
  static constexpr char const* summary = "adapters beside the feed-forwards";
  static constexpr double learning_rate = 1e-3;
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("bottleneck", self.bottleneck, "width of the network");
    visitor("placement", self.placement, "the sublayers that have a network beside them");
    visitor("activation", self.activation, "f, between down and up");
    visitor("scale", self.scale, "s, what the network's output is multiplied by");
  }
  /// @throws ConfigError for settings that no model can have
  void check(ModelInfo const&) const {
    if (bottleneck < 1) fail<ConfigError>("[parallel_adapter] got bottleneck ", bottleneck, "; expected at least 1");
  }
};

template <class Scalar, class Device>
class ParallelAdapter::State {
 public:
  using Value = Variable<Scalar, Device>;

  /// Starts as LoRA does: down uniform in ±1/√width, everything else 0, so that the adapted model starts as the base.
  State(ParallelAdapter const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const&, RandomKey key)
      : settings_(settings) {
    settings.check(model);
    for (auto const& stack : model.stacks)
      for (int layer = 0; layer < stack.layers; ++layer) {
        LayerAddress const at{stack.stack, layer};
        for (auto const& [which, text] : sublayers(model, at)) {
          std::string const prefix = cat(layer_name(model, at), ".", text);
          units_.add(at, which, prefix,
                     linear_init<Scalar>(Shape{settings.bottleneck, model.width}, model.width, key.with(prefix)));
        }
      }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return units_.parameters(); }
  [[nodiscard]] Value after_sublayer(LayerAddress at, Sublayer which, Value const&, Value const& input,
                                     Value const& output, Rows const&) const {
    auto const* unit = units_.find(at, which);
    return unit ? add(output, graft::scale(unit->compute(input, settings_.activation), settings_.scale)) : output;
  }

 private:
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
  Bottlenecks<Scalar, Device> units_;
};

}  // namespace graft
