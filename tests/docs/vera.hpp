// A strategy of one's own, as docs/own_strategy.md explains it: VeRA (Kopiczko et al. 2023), a low-rank addition whose
// matrices are random and frozen.
#pragma once

#include <string>
#include <vector>

#include <graft/adaptation/hooks.hpp>
#include <graft/adaptation/init.hpp>
#include <graft/nn/site_table.hpp>
#include <graft/ops/linear.hpp>
#include <graft/ops/residual.hpp>
#include <graft/ops/scale_columns.hpp>

//! [settings]
/// y = x·Wᵀ + b ∘ (B·(d ∘ (A·x))) at the query and value products (or the fused one); only the vectors d and b are
/// trained.
struct VeRA {
  graft::Index rank = 64;
  std::uint64_t matrices = 0;  ///< seed of A and B, which are in no file

  static constexpr char const* name = "vera";
  static constexpr char const* summary = "VeRA: trained vectors around random matrices";
  static constexpr double learning_rate = 2e-2;
  template <class Scalar, class Device>
  class State;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("rank", self.rank, "r, the rows of A and the columns of B");
    visitor("matrices", self.matrices, "seed of A and B, which are in no file");
  }
  void check(graft::ModelInfo const&) const {
    if (rank < 1) graft::fail<graft::ConfigError>("[vera] got rank ", rank, "; expected at least 1");
  }
};
//! [settings]

//! [state]
template <class Scalar, class Device>
class VeRA::State {
 public:
  using Value = graft::Variable<Scalar, Device>;
  using Matrix = graft::FrozenMatrix<Scalar, Device>;

  State(VeRA const& settings, graft::ModelInfo const& model, graft::BaseAccess<Scalar, Device> const&,
        graft::RandomKey) {
    using graft::Shape, graft::Site;
    graft::Index const r = settings.rank;
    settings.check(model);
    graft::RandomKey const key(settings.matrices);  // the same numbers in every layer
    for (auto const& site : model.sites) {
      Site const kind = site.address.site;
      if (kind != Site::query && kind != Site::value && kind != Site::query_key_value) continue;
      units_.push_back({site.address,
                        Matrix(graft::linear_init<Scalar>(Shape{r, site.in}, site.in, key.with("A"))),
                        Matrix(graft::linear_init<Scalar>(Shape{site.out, r}, r, key.with("B"))),
                        {site.name + ".d", graft::full(Shape{r}, Scalar(0.1))},
                        {site.name + ".b", graft::zeros<Scalar>(Shape{site.out})}});
    }
  }

  [[nodiscard]] std::vector<graft::Parameter<Scalar, Device>*> parameters() {
    std::vector<graft::Parameter<Scalar, Device>*> all;
    for (auto& unit : units_) all.insert(all.end(), {&unit.d, &unit.b});
    return all;
  }
  template <class Linear>
  [[nodiscard]] Value project(graft::SiteAddress const& site, Value const& x, Linear const& linear,
                              graft::Rows const&) const {
    Unit const* const unit = units_.find(site);
    if (!unit) return linear(x);
    Value const inner = scale_columns(graft::linear(x, unit->down), unit->d.variable());       // d ∘ (A·x)
    return add(linear(x), scale_columns(graft::linear(inner, unit->up), unit->b.variable()));  // x·Wᵀ + b ∘ (B·inner)
  }

 private:
  struct Unit {
    graft::SiteAddress site;
    Matrix down, up;  // A and B
    graft::Parameter<Scalar, Device> d, b;
  };
  graft::SiteTable<Unit> units_;
};
//! [state]
