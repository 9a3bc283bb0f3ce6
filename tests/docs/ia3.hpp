// A strategy of one's own, as docs/own_strategy.md explains it: (IA)³ (Liu et al. 2022), which scales keys, values and feed-forward activations.
#pragma once

#include <string>
#include <vector>

#include <graft/adaptation/hooks.hpp>

#include "docs/scale_columns.hpp"

//! [settings]
/// y = scale ∘ (x·Wᵀ) at the key, value and (gated) feed-forward products; only the scales, 1 at first, are trained.
struct IA3 {
  bool feed_forward = true;

  static constexpr char const* name = "ia3";
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("feed_forward", self.feed_forward);
  }
};
//! [settings]

//! [state]
template <class Scalar, class Device>
class IA3::State {
 public:
  using Value = graft::Variable<Scalar, Device>;

  State(IA3 const& settings, graft::ModelInfo const& model, graft::BaseAccess<Scalar, Device> const&, graft::RandomKey) {
    using graft::Site;
    if (!model.find({Site::key, {}}) || !model.find({Site::feed_forward_gate, {}}))
      graft::fail<graft::ConfigError>("[ia3] got a ", model.architecture, " model; expected separate key and value products and a gated feed-forward");
    for (auto const& site : model.sites) {
      Site const kind = site.address.site;
      if (kind == Site::key || kind == Site::value || (kind == Site::feed_forward_up && settings.feed_forward))
        scales_.push_back({site.address, {site.name + ".scale", graft::full(graft::Shape{site.out}, Scalar(1))}});
    }
  }

  [[nodiscard]] std::vector<graft::Parameter<Scalar, Device>*> parameters() {
    std::vector<graft::Parameter<Scalar, Device>*> all;
    for (auto& scale : scales_) all.push_back(&scale.parameter);
    return all;
  }
  template <class Linear>
  [[nodiscard]] Value project(graft::SiteAddress const& site, Value const& x, Linear const& linear, graft::Rows const&) const {
    for (auto const& scale : scales_)
      if (scale.site == site) return scale_columns(linear(x), scale.parameter.variable());
    return linear(x);
  }

 private:
  struct Scale {
    graft::SiteAddress site;
    graft::Parameter<Scalar, Device> parameter;
  };
  std::vector<Scale> scales_;
};
//! [state]
