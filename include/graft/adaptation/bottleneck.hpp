/// @file
/// @brief What adapters with a bottleneck share: small trainable networks up(f(down(x))) at places in a model's layers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/nn/site_table.hpp>
#include <graft/ops/activation.hpp>
#include <graft/ops/linear.hpp>

namespace graft {

/// One network of width r: down `[r, width]`, up `[width, r]`, each with a bias.
template <class Scalar, class Device>
struct Bottleneck {
  SiteAddress site;  ///< the product that ends its sublayer
  Parameter<Scalar, Device> down, down_bias, up, up_bias;

  /// up(f(down(x))) for x `[rows, width]` → `[rows, width]`.
  [[nodiscard]] Variable<Scalar, Device> compute(Variable<Scalar, Device> const& x, Activation f) const {
    auto const inner = activate(linear(x, down.variable(), down_bias.variable()), f);  // [rows, r]
    return linear(inner, up.variable(), up_bias.variable());
  }
};

/// The networks of an adapter, at most one beside each sublayer of each layer.
template <class Scalar, class Device>
class Bottlenecks {
 public:
  /// Adds the network there, whose down-projection starts as `down` `[r, width]`. All else starts at zero, so that the
  /// network computes zeros. Its parameters are `<prefix>.down.weight` and so on.
  void add(LayerAddress at, Sublayer which, std::string const& prefix, Tensor<Scalar> down) {
    Index const r = down.rows(), width = down.width();
    all_.push_back({{last_site(which), at},
                    {prefix + ".down.weight", std::move(down)},
                    {prefix + ".down.bias", zeros<Scalar>(Shape{r})},
                    {prefix + ".up.weight", zeros<Scalar>(Shape{width, r})},
                    {prefix + ".up.bias", zeros<Scalar>(Shape{width})}});
  }
  /// In the order in which the networks were added.
  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> parameters;
    for (auto& unit : all_) parameters.insert(parameters.end(), {&unit.down, &unit.down_bias, &unit.up, &unit.up_bias});
    return parameters;
  }
  /// The network there; null where there is none.
  [[nodiscard]] Bottleneck<Scalar, Device> const* find(LayerAddress at, Sublayer which) const {
    return all_.find({last_site(which), at});
  }

 private:
  static Site last_site(Sublayer which) {
    switch (which) {
      case Sublayer::attention: return Site::attention_output;
      case Sublayer::cross_attention: return Site::cross_attention_output;
      case Sublayer::feed_forward: break;
    }
    return Site::feed_forward_down;
  }

  SiteTable<Bottleneck<Scalar, Device>> all_;
};

/// What parameters of an adapter call a layer: `3`, or in an encoder–decoder `encoder.3`, `decoder.3`.
[[nodiscard]] inline std::string layer_name(ModelInfo const& model, LayerAddress at) {
  char const* const side = model.stacks.size() == 1 ? "" : at.stack == Stack::encoder ? "encoder." : "decoder.";
  return cat(side, at.layer);
}

}  // namespace graft
