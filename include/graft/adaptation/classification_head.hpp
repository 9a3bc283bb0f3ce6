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
  static constexpr Roles roles = Role::head | Role::bias;

  template <class Scalar, class Device>
  class State : public TrainedWeights<roles, Scalar, Device> {
   public:
    State(ClassificationHead const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base,
          RandomKey key)
        : TrainedWeights<roles, Scalar, Device>(model, with_new_head(settings, model, base, key),
                                                [](SiteInfo const& site, Part) { return site.role == Role::head; }) {
      if (!model.classifies)
        fail<ConfigError>(
            "[classification_head] got a ", model.architecture,
            " model; expected an encoder (BERT, RoBERTa); hint: a language model writes its classes as text");
    }

   private:
    /// The base's head where it fits, else random numbers.
    static BaseAccess<Scalar, Device> with_new_head(ClassificationHead const& settings, ModelInfo const& model,
                                                    BaseAccess<Scalar, Device> base, RandomKey key) {
      if (settings.labels < 0)
        fail<ConfigError>("[classification_head] got ", settings.labels,
                          " labels; expected at least 1, or 0 for the model's own");
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
    visitor("labels", self.labels);
    visitor("restart", self.restart);
    visitor("init_deviation", self.init_deviation);
  }
};

}  // namespace graft
