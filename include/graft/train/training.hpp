/// @file
/// @brief The settings of a training and what it reports.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/numbers.hpp>
#include <graft/core/types.hpp>
#include <graft/data/template.hpp>
#include <graft/optim/adafactor.hpp>
#include <graft/optim/schedule.hpp>

namespace graft {

/// The update rule of a training.
enum class OptimizerKind { adamw, adafactor };

/// One optimizer step, as it is logged.
struct StepReport {
  Index step = 0;    ///< steps done, this one included
  double epoch = 0;  ///< epochs done, with a fraction
  double loss = 0;   ///< before the update: mean −log p of the step's target tokens, or the objective's
  double learning_rate = 0;
  double gradient_norm = 0;  ///< before clipping
  Index tokens = 0;          ///< source and target tokens of the step
  double seconds = 0;        ///< of the step alone
};

/// One pass over the validation examples.
struct ValidationReport {
  Index step = 0;
  double loss = 0;    ///< mean −log p of all target tokens, or the objective's
  bool best = false;  ///< lowest so far
};

/// A checkpoint that has been written.
struct CheckpointReport {
  Index step = 0;
  std::string folder;  ///< of this checkpoint, within `Training::checkpoint`
};

/// Settings of a training; the defaults are those of the prefix-tuning paper (Li & Liang 2021) for table-to-text.
struct Training {
  Index epochs = 10;
  Index steps = 0;       ///< optimizer steps; 0: as many as the epochs have
  Index batch = 5;       ///< examples of one forward and backward pass
  Index accumulate = 1;  ///< passes of one optimizer step: a step sees batch × accumulate examples
  /// Most tokens of one pass: a batch is divided further where needed (the gradient is the same up to rounding), so
  /// that memory for activations does not grow with it. The processor's products gain nothing above some 256 rows; a
  /// GPU's do, and want thousands. 0: no limit.
  Index max_tokens = 384;
  /// Keep of each layer its input alone, and compute the layer again in the backward pass (activation checkpointing):
  /// memory for activations no longer grows with the layers, a step runs the forward pass of the layers once more, and
  /// every number stays the same, bit for bit.
  bool recompute = false;
  /// Compute a source once for all its examples in a pass, as several references of a table in table-to-text. Sources
  /// are shuffled in place of examples, so that those of one source follow each other; a step still has batch ×
  /// accumulate examples. Loss and gradient of a step are the same up to rounding, but where dropout acts: examples of
  /// one source share its mask there.
  bool share_sources = false;
  /// MiB to keep what never changes of examples, validation included, so that passes of later epochs begin there.
  /// Layers below the lowest trained one never change, where a strategy trains the model's own weights alone (top
  /// layers, a classifier's head). Keys and values of a source's tokens before an infix never change, nor do an
  /// encoder's states where the strategy adds nothing to its rows. Losses, and where a resumed training ends, are the
  /// same up to rounding. A pass begins there if all its examples found room. Not beside `share_sources`. What the
  /// model kept before is forgotten. 0: nothing is kept.
  Index keep_frozen = 0;
  bool drop_last = false;  ///< leave out an epoch's last examples that do not fill a step

  double learning_rate = 5e-5;
  Index warmup_steps = 0;
  double warmup_ratio = 0.0;  ///< share of all steps that warm up, where warmup_steps is 0
  Schedule schedule = Schedule::linear;
  OptimizerKind optimizer = OptimizerKind::adamw;
  /// where that is the optimizer; its weight decay is the one below, and with `relative_step` it goes by no learning
  /// rate but its own
  AdafactorSettings adafactor = {};
  double weight_decay = 0.01;
  double clip = 1.0;  ///< largest global gradient norm; 0: no clipping
  std::array<double, 2> betas{0.9, 0.999};
  double epsilon = 1e-8;
  std::uint64_t seed = 0;

  Index validate_every = 0;  ///< steps; 0: at the end of each epoch
  /// validations in a row without progress that end the training, which then keeps the parameters of the lowest loss;
  /// 0: never
  Index patience = 0;
  /// the least improvement that counts as progress, as in Keras and Lightning: a validation makes progress where its
  /// loss is more than this below that of the last one that did; 0: any lower loss
  double min_delta = 0.0;
  Index max_source = 0, max_target = 0;  ///< tokens; 0: no limit

  std::string checkpoint = {};  ///< folder for checkpoints; empty: none
  Index checkpoint_every = 0;   ///< steps; 0: at the end of each epoch
  bool resume = false;          ///< continue from the folder's newest checkpoint; where there is none, begin
  std::string log = {};         ///< JSONL file, one object a step and a validation; empty: none
  bool progress = true;         ///< on standard error
  std::function<void(StepReport const&)> on_step = {};  ///< called after each step; what it throws ends the training
  /// Called with the number of the step right after its update, before anything reads the parameters; it may change
  /// them, as making a matrix orthonormal again does. What it throws ends the training.
  std::function<void(Index)> on_update = {};
  /// Called after each validation; what it throws ends the training.
  std::function<void(ValidationReport const&)> on_validation = {};
  /// Called after each checkpoint, which is whole then; what it throws ends the training.
  std::function<void(CheckpointReport const&)> on_checkpoint = {};
  /// Asked after each step: a number other than 0, such as that of a signal, ends the training in order (a checkpoint,
  /// where they are asked for, and the log's last line) and is `interrupted` in the report.
  std::function<int()> stop = {};
};

/// What a training did.
struct TrainingReport {
  std::vector<StepReport> steps;
  std::vector<ValidationReport> validations;
  double best_validation_loss = std::numeric_limits<double>::quiet_NaN();  ///< NaN without validation
  Index best_step = 0;
  bool stopped_early = false;
  int interrupted = 0;           ///< what `Training::stop` said; 0: the training came to its end
  Index tokens = 0;              ///< source and target tokens trained on
  double seconds = 0;            ///< of the steps; validation and checkpoints not counted
  Truncation cut;                ///< of training and validation examples together
  Index trainable = 0, all = 0;  ///< parameters

  [[nodiscard]] double tokens_per_second() const { return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0; }
};

/// @throws ConfigError naming the first setting that is out of range
inline void check_settings(Training const& t) {
  auto const check = [](char const* name, auto value, bool good, char const* expected) {
    if (!good) fail<ConfigError>("[Training] got ", name, " = ", value, "; expected ", expected);
  };
  auto const finite = [](double value) { return value >= 0.0 && fits_float(value); };
  for (auto const& [name, value] : {std::pair<char const*, Index>{"epochs", t.epochs},
                                    {"steps", t.steps},
                                    {"batch", t.batch},
                                    {"accumulate", t.accumulate},
                                    {"max_tokens", t.max_tokens},
                                    {"keep_frozen", t.keep_frozen},
                                    {"warmup_steps", t.warmup_steps},
                                    {"validate_every", t.validate_every},
                                    {"patience", t.patience},
                                    {"max_source", t.max_source},
                                    {"max_target", t.max_target},
                                    {"checkpoint_every", t.checkpoint_every}})
    check(name, value, value <= most_of_anything, at_most_of_anything);
  check("keep_frozen", t.keep_frozen, t.keep_frozen == 0 || !t.share_sources,
        "0 beside share_sources, whose rows are cut in another way in every epoch");
  check("epochs", t.epochs, t.epochs >= 1 || t.steps >= 1, "1 or more");
  check("steps", t.steps, t.steps >= 0, "0 or more");
  check("batch", t.batch, t.batch >= 1, "1 or more");
  check("accumulate", t.accumulate, t.accumulate >= 1, "1 or more");
  check("max_tokens", t.max_tokens, t.max_tokens >= 0, "0 or more");
  check("learning_rate", t.learning_rate, finite(t.learning_rate), "0 or more");
  check("warmup_steps", t.warmup_steps, t.warmup_steps >= 0, "0 or more");
  check("warmup_ratio", t.warmup_ratio, t.warmup_ratio >= 0.0 && t.warmup_ratio <= 1.0, "0 to 1");
  check("weight_decay", t.weight_decay, finite(t.weight_decay), "0 or more");
  check("clip", t.clip, finite(t.clip), "0 or more");
  check("validate_every", t.validate_every, t.validate_every >= 0, "0 or more");
  check("patience", t.patience, t.patience >= 0, "0 or more");
  check("min_delta", t.min_delta, finite(t.min_delta), "0 or more");
  check("min_delta", t.min_delta, t.min_delta == 0.0 || t.patience > 0, "0 without patience, where it has no effect");
  check("max_source", t.max_source, t.max_source >= 0, "0 or more");
  check("max_target", t.max_target, t.max_target >= 0, "0 or more");
  check("checkpoint_every", t.checkpoint_every, t.checkpoint_every >= 0, "0 or more");
  check("resume", t.resume, !t.resume || !t.checkpoint.empty(), "a checkpoint folder to resume from");
}

}  // namespace graft
