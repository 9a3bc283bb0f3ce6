/// @file
/// @brief The one list of strategies: what programs, loaders, tests and tables of the documentation offer.
#pragma once

#include <graft/adaptation/bitfit.hpp>
#include <graft/adaptation/bottleneck_adapter.hpp>
#include <graft/adaptation/classification_head.hpp>
#include <graft/adaptation/embedding_only.hpp>
#include <graft/adaptation/full_fine_tuning.hpp>
#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/infix_tuning.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/mam.hpp>
#include <graft/adaptation/none.hpp>
#include <graft/adaptation/p_tuning.hpp>
#include <graft/adaptation/parallel_adapter.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/adaptation/prompt_tuning.hpp>
#include <graft/adaptation/top_layers.hpp>
#include <graft/any/strategy_list.hpp>

namespace graft::any {

/// Strategies under names of their own, with other settings to begin with, and compositions.
namespace presets {

struct PrefixMlp {
  static constexpr char const* name = "prefix_mlp";
  static constexpr char const* summary = "prefix tuning through an MLP that is dropped after training";
  static constexpr double learning_rate = 1e-3;
  [[nodiscard]] static PrefixTuning settings() { return {.reparametrization = Mlp{}, .init_deviation = 0.02}; }
};

struct PrefixLora {
  static constexpr char const* name = "prefix_lora";
  static constexpr char const* summary = "prefix tuning and LoRA together";
  static constexpr double learning_rate = 2e-3;
  static constexpr bool for_classifiers = false;
  [[nodiscard]] static Composed<PrefixTuning, LoRA> settings() { return compose(PrefixTuning::recommended(), LoRA{}); }
};

/// Smaller than the paper's, which is for models of width 1024.
struct Mam {
  static constexpr char const* name = "mam";
  static constexpr char const* summary = "a prefix and parallel adapters together (mix and match)";
  static constexpr double learning_rate = 1e-3;
  static constexpr bool for_classifiers = false;
  [[nodiscard]] static Composed<PrefixTuning, ParallelAdapter> settings() {
    return mam(PrefixTuning::recommended(), ParallelAdapter{});
  }
};

}  // namespace presets

/// A strategy of this list is its header, its page, and its line here.
using Strategies = StrategyList<NoAdaptation,         //
                                PrefixTuning,         //
                                presets::PrefixMlp,   //
                                PromptTuning,         //
                                InfixTuning,          //
                                EmbeddingOnly,        //
                                BottleneckAdapter,    //
                                LoRA,                 //
                                BitFit,               //
                                TopLayers,            //
                                FullFineTuning,       //
                                ClassificationHead,   //
                                presets::PrefixLora,  //
                                IA3,                  //
                                PTuning,              //
                                ParallelAdapter,      //
                                presets::Mam>;

}  // namespace graft::any
