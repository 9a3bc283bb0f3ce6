/// @file
/// @brief (IA)³ (Liu et al. 2022): keys, values and the feed-forward's inner activations are multiplied by trained
/// vectors.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/module_names.hpp>
#include <graft/nn/site_table.hpp>
#include <graft/ops/scale_columns.hpp>

namespace graft {

/// y = l ∘ (x·Wᵀ + b) for targets, y = (l ∘ x)·Wᵀ + b for targets in the feed-forward; only the vectors l, 1 at first,
/// are trained. Names are last components of module names, such as `k_proj` or `mlp.c_proj`. Without any: the key and
/// value products of every attention (or the fused product, all of it), and the feed-forward's second product.
struct IA3 {
  std::vector<std::string> targets = {};  ///< whose outputs are scaled, unless they are in the other list too
  std::vector<std::string> feed_forward_targets = {};  ///< whose inputs are scaled

  static constexpr char const* name = "ia3";
  static constexpr char const* summary =
      "(IA)³: vectors that scale keys, values and the feed-forward's inner activations";
  static constexpr double learning_rate = 1e-2;
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("targets", self.targets,
            "modules whose outputs are scaled, by the last components of their names; without any in both lists keys, "
            "values and the feed-forward's second product");
    visitor("feed_forward_targets", self.feed_forward_targets, "modules whose inputs are scaled");
  }
  /// @throws ConfigError for a target that the model lacks
  void check(ModelInfo const& model) const {
    require_modules(name, targets, model);
    require_modules(name, feed_forward_targets, model);
  }
};

/// What a linear map's outputs and inputs are multiplied by, for merging: W' = diag(output)·W·diag(input), b' = output
/// ∘ b; empty for 1.
template <class Scalar, class Device>
struct MergedScale {
  Tensor<Scalar, Device> output, input;
};

template <class Scalar, class Device>
class IA3::State {
 public:
  using Value = Variable<Scalar, Device>;
  struct Unit {
    SiteAddress site;
    Layout layout;
    bool scales_input;
    Parameter<Scalar, Device> scale;  ///< `[out, 1]`, or of an input `[1, in]`
  };

  State(IA3 const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const&, RandomKey) {
    std::vector<std::string> all = settings.targets;
    all.insert(all.end(), settings.feed_forward_targets.begin(), settings.feed_forward_targets.end());
    for (auto const& site : target_sites(name, all, default_sites, model)) {
      bool const input = all.empty() ? site.address.site == Site::feed_forward_down : scales_input(settings, site);
      units_.push_back({site.address,
                        site.layout,
                        input,
                        {site.name + ".ia3_l", full(input ? Shape{1, site.in} : Shape{site.out, 1}, Scalar(1))}});
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& unit : units_) all.push_back(&unit.scale);
    return all;
  }
  [[nodiscard]] ProductChange changes(SiteAddress const& site) const {
    Unit const* const unit = units_.find(site);
    return !unit ? ProductChange::none : unit->scales_input ? ProductChange::input : ProductChange::output;
  }
  template <class Linear>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Linear const& linear, Rows const&) const {
    Unit const* const unit = units_.find(site);
    if (!unit) return linear(x);
    return unit->scales_input ? linear(scale_columns(x, unit->scale.variable()))
                              : scale_columns(linear(x), unit->scale.variable());
  }

  /// The targets' vectors, for files.
  [[nodiscard]] SiteTable<Unit> const& units() const { return units_; }
  [[nodiscard]] MergedScale<Scalar, Device> merged_scale(SiteAddress const& site) const {
    Unit const* const unit = units_.find(site);
    if (!unit) return {};
    return unit->scales_input ? MergedScale<Scalar, Device>{{}, unit->scale.value()}
                              : MergedScale<Scalar, Device>{unit->scale.value(), {}};
  }

 private:
  static constexpr std::array default_sites{Site::key,       Site::value,       Site::query_key_value,
                                            Site::cross_key, Site::cross_value, Site::feed_forward_down};

  /// PEFT looks at the end of the target's name alone here, dots or not.
  static bool scales_input(IA3 const& settings, SiteInfo const& site) {
    return std::any_of(settings.feed_forward_targets.begin(), settings.feed_forward_targets.end(),
                       [&](std::string const& target) { return !target.empty() && site.name.ends_with(target); });
  }

  SiteTable<Unit> units_;
};

}  // namespace graft
