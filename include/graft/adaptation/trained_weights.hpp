/// @file
/// @brief What the strategies share that train some of the model's own weights: copies of them, found by site.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/nn/site_table.hpp>

namespace graft {

/// Trainable copies of the weights that `chosen(site, part)` names; the base stays as it is. Parameter names are the
/// checkpoint's.
template <Roles roles, class Scalar, class Device>
class TrainedWeights {
 public:
  static constexpr Roles trained_roles = roles;

  template <class Chosen>
  TrainedWeights(ModelInfo const& model, BaseAccess<Scalar, Device> const& base, Chosen const& chosen) {
    std::vector<Unit> units;
    for (auto const& site : model.sites) {
      if (site.tied) continue;
      Unit unit{site.address, {}, {}};
      if (contains(roles, site.role) && chosen(site, Part::weight)) unit.weight = copy(site, Part::weight, base);
      if (contains(roles, Role::bias) && site.bias && chosen(site, Part::bias))
        unit.bias = copy(site, Part::bias, base);
      if (!unit.weight.empty() || !unit.bias.empty()) units.push_back(std::move(unit));
    }
    // The order of parameters is that of stacks and their layers, whatever order an architecture lists its sites in.
    std::stable_sort(units.begin(), units.end(),
                     [](Unit const& a, Unit const& b) { return order(a.site) < order(b.site); });
    for (auto& unit : units) units_.push_back(std::move(unit));
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& unit : units_)
      for (auto* part : {&unit.weight, &unit.bias})
        if (!part->empty()) all.push_back(part);
    return all;
  }
  [[nodiscard]] Variable<Scalar, Device> const* trained(SiteAddress const& site, Part part) const {
    Unit const* const unit = units_.find(site);
    if (!unit) return nullptr;
    auto const& parameter = part == Part::weight ? unit->weight : unit->bias;
    return parameter.empty() ? nullptr : &parameter.variable();
  }
  [[nodiscard]] bool empty() const { return units_.empty(); }

 private:
  struct Unit {
    SiteAddress site;
    Parameter<Scalar, Device> weight, bias;  ///< empty where it is the base's
  };
  static std::tuple<int, int, int> order(SiteAddress const& site) {
    return {static_cast<int>(site.at.stack), site.at.layer, static_cast<int>(site.site)};
  }
  /// None for a checkpoint without the head that its configuration could have.
  static Parameter<Scalar, Device> copy(SiteInfo const& site, Part part, BaseAccess<Scalar, Device> const& base) {
    auto own = base.weight(site.address, part);
    if (own.empty()) return {};
    return {site.name + (part == Part::bias ? ".bias" : ".weight"), std::move(own)};
  }

  SiteTable<Unit> units_;
};

}  // namespace graft
