/// @file
/// @brief `combine`: the weighted sum of several adapters of one strategy as one adapter, as PEFT's
/// `add_weighted_adapter` has it.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/adaptation/combination.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/low_rank_terms.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/adapter_set.hpp>
#include <graft/tensor/finite.hpp>

namespace graft {

/// The strategies whose weighted sums are defined.
template <class Adaptation>
inline constexpr bool can_combine = std::is_same_v<Adaptation, LoRA> || std::is_same_v<Adaptation, IA3>;

namespace detail {

/// Adapters of a set, and the weight of each.
template <class Model>
using WeightedModels = std::vector<std::pair<Model const*, double>>;

/// The modules that any of the adapters changes.
template <class Model>
[[nodiscard]] std::vector<std::string> all_targets(WeightedModels<Model> const& parts) {
  auto const& first = parts.front().first->settings().targets;
  if (std::all_of(parts.begin(), parts.end(),
                  [&](auto const& part) { return part.first->settings().targets == first; }))
    return first;
  std::vector<std::string> all;
  auto const add = [&](std::string const& name) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  };
  for (auto const& [model, weight] : parts) {
    for (auto const& target : model->settings().targets) add(target);
    if (!model->settings().targets.empty()) continue;
    for (auto const& unit : model->state().units()) add(model->info().find(unit.site)->name);
  }
  return all;
}

/// The combined adapter's settings; dropout is the first's.
template <class Model>
[[nodiscard]] LoRA combined_settings(WeightedModels<Model> const& parts, Combination how, Index rank) {
  LoRA settings = parts.front().first->settings();
  Index sum = 0, largest = 0;
  for (auto const& [model, weight] : parts) {
    Index const own = model->settings().rank;
    if (how == Combination::linear && own != settings.rank)
      fail<ConfigError>("[combine] got adapters of the ranks ", settings.rank, " and ", own,
                        "; expected one rank for linear; hint: svd and cat take any");
    sum += own;
    largest = std::max(largest, own);
  }
  if (rank < 0 || rank > sum)
    fail<ConfigError>("[combine] got rank ", rank, "; expected 1 to ", sum,
                      ", the sum of the adapters' ranks, or 0 for the largest of them");
  if (rank > 0 && how != Combination::svd)
    fail<ConfigError>("[combine] got rank ", rank, " for ", how == Combination::cat ? "cat" : "linear",
                      "; expected it for svd alone");
  settings.rank = how == Combination::cat ? sum : rank > 0 ? rank : largest;
  settings.alpha = static_cast<double>(settings.rank);  // the scale is in the matrices
  settings.rank_stabilized = false;
  settings.targets = all_targets(parts);
  return settings;
}

/// Σ w·s·B·A of one module; an adapter that leaves it alone adds nothing.
template <class Model>
[[nodiscard]] LowRankTerms low_rank_sum(WeightedModels<Model> const& parts, SiteAddress const& site) {
  LowRankTerms sum;
  for (auto const& [model, weight] : parts) {
    auto const* const unit = model->state().units().find(site);
    if (!unit) continue;
    auto const a = downloaded(unit->a.value()), b = downloaded(unit->b.value());
    for (Index k = 0; k < a.rows(); ++k) {
      auto& left = sum.left.emplace_back(static_cast<std::size_t>(b.rows()));
      for (Index o = 0; o < b.rows(); ++o) left[static_cast<std::size_t>(o)] = static_cast<double>(b.row(o)[k]);
      auto& right = sum.right.emplace_back(a.row(k), a.row(k) + a.width());
      scale(right, weight * model->settings().scale());
    }
  }
  return sum;
}

/// y += factor · x
template <class Scalar>
void add_scaled(Tensor<Scalar>& y, double factor, Tensor<Scalar> const& x) {
  for (Index i = 0; i < y.size(); ++i)
    y.data()[i] = static_cast<Scalar>(static_cast<double>(y.data()[i]) + factor * static_cast<double>(x.data()[i]));
}

/// Refuses a factor of a sum that the model's scalar cannot hold. @throws ConfigError
template <class Scalar>
void check_factor(std::string const& name, double weight, double scale) {
  constexpr auto most = static_cast<double>(std::numeric_limits<Scalar>::max());
  if (!(std::abs(weight) <= most))
    fail<ConfigError>("[combine] got the weight ", weight, " for ", name, "; expected a finite number of at most ",
                      most);
  if (!(std::abs(weight * scale) <= most))
    fail<ConfigError>("[combine] got the weight ", weight, " for ", name, " with the scale ", scale,
                      " of its matrices; expected a product of at most ", most);
}

/// Refuses a sum that is no number any more. @throws NumericError
template <class Model>
void check_sum(Model& sum) {
  for (auto* parameter : sum.parameters()) {
    auto const value = downloaded(parameter->value());
    if (Index const i = first_not_finite(value); i >= 0)
      fail<NumericError>("[combine] got ", value.data()[i], " in the sum's ", parameter->name(),
                         "; expected finite numbers; hint: smaller weights");
  }
}

template <class Model>
[[nodiscard]] Model combine_lora(WeightedModels<Model> const& parts, Combination how, Index rank) {
  using Scalar = typename Model::scalar_type;
  auto result = adapt<typename Model::precision>(parts.front().first->base(), combined_settings(parts, how, rank));
  auto& units = result.state().units();
  parallel_for(static_cast<Index>(units.size()), [&](Index i) {
    auto& unit = units[static_cast<std::size_t>(i)];
    auto a = zeros<Scalar>(unit.a.value().shape()), b = zeros<Scalar>(unit.b.value().shape());
    if (how == Combination::linear) {
      for (auto const& [model, weight] : parts) {
        auto const* const own = model->state().units().find(unit.site);
        if (!own) continue;
        double const factor = weight * model->settings().scale(), root = std::sqrt(std::abs(factor));
        add_scaled(a, factor < 0 ? -root : root, downloaded(own->a.value()));
        add_scaled(b, root, downloaded(own->b.value()));
      }
    } else {
      LowRankTerms terms = low_rank_sum(parts, unit.site);
      if (how == Combination::svd) terms = truncated(terms, static_cast<std::size_t>(a.rows()));
      for (std::size_t k = 0; k < terms.size(); ++k) {
        for (Index o = 0; o < b.rows(); ++o)
          b.row(o)[k] = static_cast<Scalar>(terms.left[k][static_cast<std::size_t>(o)]);
        for (Index c = 0; c < a.width(); ++c)
          a.row(static_cast<Index>(k))[c] = static_cast<Scalar>(terms.right[k][static_cast<std::size_t>(c)]);
      }
    }
    unit.a.assign(a);
    unit.b.assign(b);
  });
  return result;
}

/// l = Σ wᵢ·lᵢ. An adapter without a module's vector means 1 there, which PEFT would count as 0: such sums are refused.
template <class Model>
[[nodiscard]] Model combine_ia3(WeightedModels<Model> const& parts) {
  using Scalar = typename Model::scalar_type;
  auto result = adapt<typename Model::precision>(parts.front().first->base(), parts.front().first->settings());
  auto const& units = std::as_const(result).state().units();
  auto const parameters = result.parameters();
  std::vector<Tensor<Scalar>> sums;
  for (auto const* parameter : parameters) sums.push_back(zeros<Scalar>(parameter->value().shape()));
  for (auto const& [model, weight] : parts) {
    auto const& own = model->state().units();
    bool const same = std::equal(own.begin(), own.end(), units.begin(), units.end(), [](auto const& x, auto const& y) {
      return x.site == y.site && x.scales_input == y.scales_input;
    });
    if (!same)
      fail<ConfigError>("[combine] got (IA)³ adapters of different modules; expected the same ", units.size(),
                        " modules in all");
    for (std::size_t i = 0; i < own.size(); ++i) add_scaled(sums[i], weight, downloaded(own[i].scale.value()));
  }
  for (std::size_t i = 0; i < sums.size(); ++i) parameters[i]->assign(sums[i]);
  return result;
}

}  // namespace detail

/// The weighted sum of adapters of a set, as a model on the same base with one adapter, which can be saved, added to
/// the set, trained on. Weights may be negative and need not add up to 1. Of LoRA what is summed are the changes of the
/// weights, w·scale·B·A, whatever the adapters' ranks, alphas and targets (`Combination`); the result's own scale is 1.
/// Of (IA)³ the vectors are summed. Sums of other strategies are not defined, and do not compile here.
///
///     adapters.add("both", combine(adapters, {{"reviews", 0.7}, {"news", 0.3}}));
/// @throws ConfigError for no or unknown names, weights that are not finite or that the scalar cannot hold, and
/// adapters that do not fit together; NumericError for a sum that is not finite
template <class Model>
[[nodiscard]] Model combine(AdapterSet<Model> const& adapters,
                            std::vector<std::pair<std::string, double>> const& weights,
                            CombineSettings const& settings = {}) {
  using Adaptation = typename Model::adaptation_type;
  static_assert(can_combine<Adaptation>, "weighted sums of adapters are defined for LoRA and for (IA)³ alone");
  if (weights.empty()) fail<ConfigError>("[combine] got no adapters; expected at least one name with its weight");
  detail::WeightedModels<Model> parts;
  for (auto const& [name, weight] : weights) {
    Model const& part = adapters.at(name);
    double scale = 1;
    if constexpr (std::is_same_v<Adaptation, LoRA>) scale = part.settings().scale();
    detail::check_factor<typename Model::scalar_type>(name, weight, scale);
    parts.emplace_back(&part, weight);
  }
  auto const checked = [](Model sum) {
    detail::check_sum(sum);
    return sum;
  };
  if constexpr (std::is_same_v<Adaptation, LoRA>) {
    return checked(detail::combine_lora(parts, settings.combination.value_or(Combination::svd), settings.rank));
  } else {
    if (settings.rank != 0 || settings.combination.value_or(Combination::linear) != Combination::linear)
      fail<ConfigError>("[combine] got svd, cat or a rank for (IA)³ adapters; expected linear: they are vectors");
    return checked(detail::combine_ia3(parts));
  }
}

}  // namespace graft
