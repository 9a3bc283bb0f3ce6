/// @file
/// @brief Full fine-tuning: every weight is trained.
#pragma once

#include <graft/adaptation/trained_weights.hpp>

namespace graft {

/// The rival of every parameter-efficient strategy: a trained copy of the whole model.
struct FullFineTuning {
  bool head = true;  ///< a classifier's head too; false beside a `ClassificationHead`

  static constexpr char const* name = "full";
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
    visitor("head", self.head);
  }
};

}  // namespace graft
