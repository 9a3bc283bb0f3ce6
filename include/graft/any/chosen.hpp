/// @file
/// @brief What a choice of a list of strategies comes to. `graft::any` holds the function for its own list; for a list
/// of one's own `graft/any/choose.hpp` has its body.
#pragma once

#include <optional>

#include <graft/any/choice.hpp>
#include <graft/any/strategies.hpp>

namespace graft::any {

/// A choice as settings.
template <class List>
struct Chosen {
  typename List::Settings settings;
  std::optional<ClassificationHead> head;  ///< of a classifier, trained beside the strategy
};

/// A choice's settings, checked as `check` says.
/// @throws ConfigError, one sentence
template <class List>
[[nodiscard]] Chosen<List> choose(Choice const& choice, ModelInfo const& model);
extern template Chosen<Strategies> choose<Strategies>(Choice const&, ModelInfo const&);

}  // namespace graft::any
