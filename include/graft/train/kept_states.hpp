/// @file
/// @brief What a training never changes of its examples, kept as long as it lasts.
#pragma once

#include <cstddef>

#include <graft/core/types.hpp>

namespace graft::detail {

/// Whether what rows of a model hold before their insertion never changes; of a model that does not say so, it may.
template <class Model>
[[nodiscard]] bool begins_frozen([[maybe_unused]] Model const& model) {
  if constexpr (requires { model.frozen_beginnings(); })
    return model.frozen_beginnings();
  else
    return false;
}

/// Lets a model keep what never changes while this lives.
template <class Model>
class KeptStates {
 public:
  /// @param mib of memory at most; 0 keeps nothing
  KeptStates(Model& model, Index mib) : model_(model), on_(mib > 0) { keep(static_cast<std::size_t>(mib) << 20); }
  ~KeptStates() { keep(0); }
  KeptStates(KeptStates const&) = delete;
  KeptStates& operator=(KeptStates const&) = delete;

 private:
  void keep([[maybe_unused]] std::size_t bytes) {
    if constexpr (requires { model_.keep_frozen_states(bytes); })
      if (on_) model_.keep_frozen_states(bytes);
  }

  Model& model_;
  bool on_;
};

}  // namespace graft::detail
