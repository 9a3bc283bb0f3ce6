/// @file
/// @brief What the strategies share that train some of the model's own weights: copies of them, found by site.
#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>

namespace graft {

/// Trainable copies of the weights that `chosen(site, part)` names; the base stays as it is. Parameter names are the checkpoint's.
template <Roles roles, class Scalar, class Device>
class TrainedWeights {
 public:
  static constexpr Roles trained_roles = roles;

  template <class Chosen>
  TrainedWeights(ModelInfo const& model, BaseAccess<Scalar, Device> const& base, Chosen const& chosen) {
    for (auto const& site : model.sites) {
      if (site.tied) continue;
      if (contains(roles, site.role) && chosen(site, Part::weight)) add(site, Part::weight, base);
      if (contains(roles, Role::bias) && site.bias && chosen(site, Part::bias)) add(site, Part::bias, base);
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& [key, parameter] : parameters_) all.push_back(&parameter);
    return all;
  }
  [[nodiscard]] Variable<Scalar, Device> const* trained(SiteAddress const& site, Part part) const {
    auto const found = parameters_.find(key_of(site, part));
    return found == parameters_.end() ? nullptr : &found->second.variable();
  }
  [[nodiscard]] bool empty() const { return parameters_.empty(); }

 private:
  using Key = std::tuple<int, int, int, int>;
  static Key key_of(SiteAddress const& site, Part part) {
    return {static_cast<int>(site.at.stack), site.at.layer, static_cast<int>(site.site), static_cast<int>(part)};
  }
  void add(SiteInfo const& site, Part part, BaseAccess<Scalar, Device> const& base) {
    auto own = base.weight(site.address, part);
    if (own.empty()) return;  // a checkpoint without the head that its configuration could have
    parameters_.emplace(key_of(site.address, part),
                        Parameter<Scalar, Device>(site.name + (part == Part::bias ? ".bias" : ".weight"), std::move(own)));
  }

  std::map<Key, Parameter<Scalar, Device>> parameters_;
};

}  // namespace graft
