/// @file
/// @brief MAM, the mix-and-match adapter (He et al. 2022): a prefix with parallel adapters beside the feed-forwards.
#pragma once

#include <utility>

#include <graft/adaptation/compose.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>

namespace graft {

/// The paper's combination: small changes where attention looks, the larger budget where the feed-forward computes. The
/// defaults are the paper's for summarization with a model of width 1024; the prefix starts small and flat (the paper
/// trains it through an MLP of 800, which
/// `.reparametrization` gives). The result is a composition like any other.
[[nodiscard]] inline Composed<PrefixTuning, ParallelAdapter> mam(PrefixTuning prefix = {.length = 30,
                                                                                        .init_deviation = 0.02},
                                                                 ParallelAdapter adapter = {.bottleneck = 512}) {
  return compose(std::move(prefix), adapter);
}

}  // namespace graft
