/// @file
/// @brief BitFit (Ben Zaken et al. 2022): only the biases are trained.
#pragma once

#include <string_view>

#include <graft/adaptation/trained_weights.hpp>

namespace graft {

/// Trains every bias of linear maps and norms. A model without biases (LLaMA) is refused.
struct BitFit {
  bool head = true;  ///< a classifier's bias too; false beside a `ClassificationHead`

  static constexpr char const* name = "bitfit";
  static constexpr char const* summary = "the biases alone";
  static constexpr double learning_rate = 2e-3;
  static constexpr Roles roles = static_cast<Roles>(Role::bias);

  template <class Scalar, class Device>
  class State : public TrainedWeights<roles, Scalar, Device> {
   public:
    State(BitFit const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base, RandomKey)
        : TrainedWeights<roles, Scalar, Device>(model, base, [&](SiteInfo const& site, Part) {
            return settings.head || !(model.classifies && site.role == Role::head);
          }) {
      if (this->empty())
        fail<ConfigError>("[bitfit] got a ", model.architecture,
                          " model without biases; expected biases to train; hint: LoRA or prefix tuning");
    }
  };
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("head", self.head, "a classifier's own bias too; false where a head is trained beside the strategy");
  }
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    return setting != "head" || model.classifies;
  }
  /// What the programs start from: they train a classifier's head beside it.
  [[nodiscard]] static BitFit recommended() { return {.head = false}; }
};

}  // namespace graft
