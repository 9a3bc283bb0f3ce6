/// @file
/// @brief No adaptation: the base model as it is.
#pragma once

#include <graft/adaptation/hooks.hpp>

namespace graft {

struct NoAdaptation {
  static constexpr char const* name = "none";
  static constexpr char const* summary = "the base model as it is";
  static constexpr double learning_rate = 0.0;
  template <class Scalar, class Device>
  class State {
   public:
    State(NoAdaptation const&, ModelInfo const&, BaseAccess<Scalar, Device> const&, RandomKey) {}
    [[nodiscard]] std::vector<Parameter<Scalar, Device>*> parameters() { return {}; }
  };
  template <class Self, class Visitor>
  static void visit(Self&, Visitor&&) {}
};

}  // namespace graft
