/// @file
/// @brief A base of one architecture with every strategy of a list: the one template behind `AnyBase`, which is
/// instantiated in a source file for each architecture.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/any/adapt_chosen.hpp>
#include <graft/any/adapted.hpp>
#include <graft/any/placement_of.hpp>
#include <graft/models/combine.hpp>

namespace graft::any {

namespace detail {

/// What adapter folders may hold for a classifier: every strategy beside a head, what trains the head itself, a head
/// alone, and LoRA over a head that stays as it is.
template <class Types>
struct LoadedBesideHead;
template <class... Types>
struct LoadedBesideHead<TypeList<Types...>> {
  template <class Settings>
  static constexpr bool apart =
      !std::is_same_v<Settings, NoAdaptation> && !std::is_same_v<Settings, ClassificationHead>;
  template <class Settings>
  using Own = std::conditional_t<apart<Settings>, TypeList<Composed<Settings, ClassificationHead>>, TypeList<>>;
  template <class Settings>
  using Alone = std::conditional_t<HasHeadSetting<Settings> || std::is_same_v<Settings, LoRA> ||
                                       std::is_same_v<Settings, ClassificationHead>,
                                   TypeList<Settings>, TypeList<>>;
  template <class...>
  struct Join {
    using type = TypeList<>;
  };
  template <class... One, class... Two, class... Rest>
  struct Join<TypeList<One...>, TypeList<Two...>, Rest...> : Join<TypeList<One..., Two...>, Rest...> {};
  template <class... One>
  struct Join<TypeList<One...>> {
    using type = TypeList<One...>;
  };
  using type = typename Join<TypeList<>, Own<Types>..., Alone<Types>...>::type;
};

/// What they may hold for a model that writes texts.
template <class Types>
struct LoadedTexts;
template <class... Types>
struct LoadedTexts<TypeList<Types...>> {
  template <class Known, class...>
  struct Without {
    using type = Known;
  };
  template <class... Known, class First, class... Rest>
  struct Without<TypeList<Known...>, First, Rest...>
      : Without<std::conditional_t<std::is_same_v<First, NoAdaptation>, TypeList<Known...>, TypeList<Known..., First>>,
                Rest...> {};
  using type = typename Without<TypeList<>, Types...>::type;
};

}  // namespace detail

/// @tparam Activation of its models: float, or bfloat16
template <Architecture A, class List = Strategies, class Activation = float, class Device = Cpu>
class BaseOf final : public AnyBase {
  static constexpr bool classifies = A::head == HeadKind::classifier;
  using Offered = OfferedTo<List, A>;
  using Loaded =
      typename std::conditional_t<classifies, detail::LoadedBesideHead<Offered>, detail::LoadedTexts<Offered>>::type;

 public:
  explicit BaseOf(Base<A, float, Device> base) : base_(std::move(base)) {}
  Placement placement() const override { return placement_of<Activation, Device>; }
  ModelConfig const& config() const override { return base_->config(); }
  ModelInfo const& info() const override { return base_->info(); }
  std::unique_ptr<AnyModel> adapt(Choice const& choice) const override {
    std::unique_ptr<AnyModel> adapted;
    adapt_chosen<List, Offered>(base_, choice, [&](auto model) { adapted = settled(std::move(model)); });
    return adapted;
  }
  std::unique_ptr<AnyModel> load(std::filesystem::path const& adapter, LoadOptions const& options = {}) const override {
    std::unique_ptr<AnyModel> model;
    [&]<class... Types>(TypeList<Types...>) {
      visit_adapter<Types...>(base_, adapter, [&](auto loaded) { model = settled(std::move(loaded)); }, options);
    }(Loaded());
    return model;
  }
  std::unique_ptr<AnyModel> combine(std::vector<std::pair<std::filesystem::path, double>> const& adapters,
                                    CombineSettings const& settings, LoadOptions const& options = {}) const override {
    std::unique_ptr<AnyModel> sum;
    visit_adapter<LoRA, IA3>(
        base_, adapters.front().first,
        [&](auto const& first) {
          using Model = std::remove_cvref_t<decltype(first)>;
          AdapterSet<Model> set;
          std::vector<std::pair<std::string, double>> weights;
          for (auto const& [folder, weight] : adapters) {
            weights.emplace_back(cat(weights.size() + 1, " (", folder.string(), ")"), weight);
            set.add(weights.back().first, load_adapter<typename Model::adaptation_type>(base_, folder, options));
          }
          sum = settled(graft::combine(set, weights, settings));
        },
        options);
    return sum;
  }

 private:
  /// In the numbers of this base's models, its type forgotten.
  template <class Model>
  [[nodiscard]] static std::unique_ptr<AnyModel> settled(Model model) {
    if constexpr (std::is_same_v<typename Model::activation_type, Activation>)
      return wrap(std::move(model));
    else
      return wrap(with_precision<PrecisionOf<Activation>>(std::move(model)));
  }

  Base<A, float, Device> base_;
};

}  // namespace graft::any
