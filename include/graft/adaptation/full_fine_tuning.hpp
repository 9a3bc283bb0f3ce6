/// @file
/// @brief Full fine-tuning: every weight is trained.
#pragma once

#include <string_view>

#include <graft/adaptation/trained_weights.hpp>

namespace graft {

/// The rival of every parameter-efficient strategy: a trained copy of the whole model.
struct FullFineTuning {
  bool head = true;  ///< a classifier's head too; false beside a `ClassificationHead`

  static constexpr char const* name = "full";
  static constexpr char const* summary = "full fine-tuning";
  static constexpr double learning_rate = 1e-4;
  static constexpr Roles roles = Role::weight | Role::bias | Role::norm | Role::embedding | Role::head;

  template <class Scalar, class Device>
  class State : public TrainedWeights<roles, Scalar, Device> {
   public:
    State(FullFineTuning const& settings, ModelInfo const& model, BaseAccess<Scalar, Device> const& base, RandomKey)
        : TrainedWeights<roles, Scalar, Device>(model, base, [&](SiteInfo const& site, Part) {
            return settings.head || !(model.classifies && site.role == Role::head);
          }) {}
  };
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("head", self.head, "a classifier's own head too; false where a head is trained beside the strategy");
  }
  [[nodiscard]] bool reads(std::string_view setting, ModelInfo const& model) const {
    return setting != "head" || model.classifies;
  }
  /// What the programs start from: they train a classifier's head beside it.
  [[nodiscard]] static FullFineTuning recommended() { return {.head = false}; }
};

}  // namespace graft
