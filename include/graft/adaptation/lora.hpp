/// @file
/// @brief LoRA (Hu et al. 2022): a trained product of two thin matrices beside chosen frozen ones.
#pragma once

#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/adaptation/module_names.hpp>
#include <graft/nn/row_addresses.hpp>
#include <graft/nn/site_table.hpp>
#include <graft/ops/dropout.hpp>
#include <graft/ops/low_rank.hpp>

namespace graft {

/// y = x·Wᵀ + (alpha / rank)·(x·Aᵀ)·Bᵀ, with A `[rank, in]` and B `[out, rank]` trained, B = 0 at first.
struct LoRA {
  Index rank = 8;
  double alpha = 16;
  /// last components of module names, such as q_proj; empty for the query and value products (or a fused one)
  std::vector<std::string> targets = {};
  double dropout = 0.0;          ///< on the low-rank path's input, while training
  bool rank_stabilized = false;  ///< scale by alpha / √rank (Kalajdzievski 2023)

  static constexpr char const* name = "lora";
  static constexpr char const* summary = "LoRA on the query and value products";
  static constexpr double learning_rate = 2e-3;
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("rank", self.rank, "r, the rank of the trained product");
    visitor("alpha", self.alpha, "the product counts alpha / rank");
    visitor("targets", self.targets,
            "modules beside which a product stands, by the last components of their names or by whole names; without "
            "any the query and value products (or the fused one)");
    visitor("dropout", self.dropout, "on the low-rank path's input, while training");
    visitor("rank_stabilized", self.rank_stabilized, "scale by alpha / √rank (Kalajdzievski 2023)");
  }
  /// @throws ConfigError for settings that no model, or not this one, can have
  void check(ModelInfo const& model) const {
    if (rank < 1) fail<ConfigError>("[lora] got rank ", rank, "; expected at least 1");
    if (!(dropout >= 0 && dropout < 1))
      fail<ConfigError>("[lora] got dropout ", dropout, "; expected 0 or more, and less than 1");
    require_modules(name, targets, model);
  }
  [[nodiscard]] double scale() const {
    return alpha / (rank_stabilized ? std::sqrt(static_cast<double>(rank)) : static_cast<double>(rank));
  }
};

template <class Scalar, class Device>
class LoRA::State {
 public:
  using Value = Variable<Scalar, Device>;
  using Values = Tensor<Scalar, Device>;
  struct Unit {
    SiteAddress site;
    Layout layout;
    Parameter<Scalar, Device> a, b;
  };

  State(LoRA const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const&, RandomKey key)
      : settings_(settings), key_(key) {
    settings.check(model);
    for (auto const& site : target_sites(name, settings.targets, default_sites, model)) {
      RandomKey const own = key.with(site.name);
      units_.push_back(
          {site.address,
           site.layout,
           {site.name + ".lora_A.weight", linear_init<Scalar>(Shape{settings.rank, site.in}, site.in, own)},
           {site.name + ".lora_B.weight", zeros<Scalar>(Shape{site.out, settings.rank})}});
    }
  }

  [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() {
    std::vector<Parameter<Scalar, Device>*> all;
    for (auto& unit : units_) all.insert(all.end(), {&unit.a, &unit.b});
    return all;
  }
  static constexpr bool adds_to_products = true;
  [[nodiscard]] ProductChange changes(SiteAddress const& site) const {
    return units_.find(site) ? ProductChange::output : ProductChange::none;
  }
  template <class Linear>
  [[nodiscard]] Value project(SiteAddress const& site, Value const& x, Linear const& linear, Rows const& rows) const {
    Unit const* const unit = units_.find(site);
    if (!unit) return linear(x);
    Value const input =
        rows.training && settings_.dropout > 0
            ? graft::dropout(x, settings_.dropout, addresses_of(rows), key_.with("dropout").with(unit->a.name()))
            : x;
    return add_low_rank(linear(x), input, unit->a.variable(), unit->b.variable(),
                        static_cast<Scalar>(settings_.scale()));
  }

  /// The targets' matrices, for files.
  [[nodiscard]] SiteTable<Unit>& units() { return units_; }
  [[nodiscard]] SiteTable<Unit> const& units() const { return units_; }
  /// What merging adds to a site's weight, in its stored layout: (alpha / rank)·B·A; empty where the site is no target.
  [[nodiscard]] Values merged_delta(SiteAddress const& site) const {
    using kernels::Read;
    Unit const* const unit = units_.find(site);
    if (!unit) return {};
    bool const turned = unit->layout == Layout::in_out;
    auto const &a = unit->a.value(), &b = unit->b.value();
    Index const out = b.rows(), in = a.width(), r = a.rows();
    Values delta(turned ? Shape{in, out} : Shape{out, in});
    if (turned)
      kernels::On<Device, kernels::Matmul, Scalar>::matmul(
          {in, out, r, a.data(), in, Read::transposed, b.data(), r, Read::transposed, Scalar(0), delta.data(), out});
    else
      kernels::On<Device, kernels::Matmul, Scalar>::matmul(
          {out, in, r, b.data(), r, Read::plain, a.data(), in, Read::plain, Scalar(0), delta.data(), in});
    kernels::On<Device, kernels::Elementwise, Scalar>::scale(delta.data(), static_cast<Scalar>(settings_.scale()),
                                                             delta.data(), delta.size());
    return delta;
  }

 private:
  static constexpr std::array default_sites{Site::query, Site::value, Site::query_key_value, Site::cross_query,
                                            Site::cross_value};

  LoRA settings_;
  RandomKey key_;
  SiteTable<Unit> units_;
};

#ifdef GRAFT_COMPILED
extern template class LoRA::State<float, Cpu>;
extern template class LoRA::State<double, Cpu>;
#endif

}  // namespace graft
