/// @file
/// @brief A trained classification head. It belongs to the adapter: the base needs none.
#pragma once

#include <graft/adaptation/init.hpp>
#include <graft/adaptation/trained_weights.hpp>

namespace graft {

/// Trains the classifier of an encoder (RoBERTa's with its dense layer), alone or, by `compose`, beside another
/// strategy.
struct ClassificationHead {
  Index labels = 0;              ///< classes; 0 for as many as the base's configuration says
  bool restart = false;          ///< start anew even where the base has a head for as many classes
  double init_deviation = 0.02;  ///< of a new head's weights; its biases start at zero

  static constexpr char const* name = "classification_head";
  static constexpr char const* short_name = "head";
  static constexpr char const* summary = "a classifier's head alone";
  static constexpr double learning_rate = 2e-3;
  static constexpr bool for_language_models = false;
  static constexpr Roles roles = Role::head | Role::bias;

  template <class Scalar, class Device>
  class State : public TrainedWeights<roles, Scalar, Device> {
   public:
    State(ClassificationHead const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base,
          RandomKey key)
        : TrainedWeights<roles, Scalar, Device>(model, with_new_head(settings, model, base, key),
                                                [](SiteInfo const& site, Part) { return site.role == Role::head; }) {}

   private:
    /// The base's head where it fits, else random numbers.
    static BaseAccess<Scalar, Device> with_new_head(ClassificationHead const& settings, ModelInfo const& model,
                                                    BaseAccess<Scalar, Device> base, RandomKey key) {
      settings.check(model);
      auto const weight = base.weight;
      base.weight = [=](SiteAddress const& address, Part part) {
        SiteInfo const& site = *model.find(address);
        Index const out = address.site == Site::classifier && settings.labels > 0 ? settings.labels : site.out;
        if (!settings.restart)
          if (auto own = weight(address, part); !own.empty() && own.rows() == out) return own;
        if (part == Part::bias) return uploaded<Device>(zeros<Scalar>(Shape{out}));
        return uploaded<Device>(normal<Scalar>(Shape{out, site.in}, key.with(site.name), settings.init_deviation));
      };
      return base;
    }
  };
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("labels", self.labels, "classes; 0 for as many as the base's configuration says");
    visitor("restart", self.restart, "start anew even where the base has a head for as many classes");
    visitor("init_deviation", self.init_deviation, "size of a new head's random weights; its biases start at zero");
  }
  /// @throws ConfigError for settings that the model cannot have
  void check(ModelInfo const& model) const {
    if (labels < 0)
      fail<ConfigError>("[classification_head] got ", labels, " labels; expected at least 1, or 0 for the model's own");
    if (!model.classifies)
      fail<ConfigError>(
          "[classification_head] got a ", model.architecture,
          " model; expected an encoder (BERT, RoBERTa); hint: a language model writes its classes as text");
  }
};

}  // namespace graft
