/// @file
/// @brief One training from its first step (or its checkpoint) to its last.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/io/path_lock.hpp>
#include <graft/optim/adafactor.hpp>
#include <graft/optim/adamw.hpp>
#include <graft/optim/clip.hpp>
#include <graft/tensor/finite.hpp>
#include <graft/tensor/work_together.hpp>
#include <graft/train/batches.hpp>
#include <graft/train/checkpoint.hpp>
#include <graft/train/identity.hpp>
#include <graft/train/kept_states.hpp>
#include <graft/train/late_step.hpp>
#include <graft/train/log.hpp>
#include <graft/train/loss.hpp>
#include <graft/train/model_identity.hpp>
#include <graft/train/objective.hpp>
#include <graft/train/optimizer_memory.hpp>
#include <graft/train/progress.hpp>
#include <graft/train/rounded_pass.hpp>
#include <graft/train/trainable_model.hpp>

namespace graft::detail {

/// The optimizer that the settings name.
template <class Scalar, class Device>
[[nodiscard]] std::unique_ptr<Optimizer<Scalar, Device>> make_optimizer(Training const& t,
                                                                        ParameterList<Scalar, Device> parameters) {
  // A gradient each, and AdamW's two moments.
  require_optimizer_memory(parameters, t.optimizer == OptimizerKind::adafactor ? 1 : 3);
  if (t.optimizer == OptimizerKind::adafactor) {
    AdafactorSettings settings = t.adafactor;
    settings.weight_decay = t.weight_decay;
    return std::make_unique<Adafactor<Scalar, Device>>(std::move(parameters), settings);
  }
  return std::make_unique<AdamW<Scalar, Device>>(std::move(parameters),
                                                 AdamWSettings{t.betas[0], t.betas[1], t.epsilon, t.weight_decay});
}

template <TrainableModel Model, TrainingObjective<Model> Objective = TokenObjective>
class TrainingRun {
 public:
  using Scalar = ScalarOf<Model>;
  using Device = DeviceOf<Model>;

  TrainingRun(Training const& settings, Model& model, std::vector<TokenizedExample> const& training,
              std::vector<TokenizedExample> const& validation, Truncation const& cut, Objective const& objective)
      : t_(settings),
        model_(model),
        objective_(objective),
        training_(training),
        validation_(validation),
        parameters_(model.parameters()),
        batching_{t_.batch, t_.accumulate, t_.max_tokens, t_.drop_last, t_.seed},
        lengths_(row_lengths(training)),
        shared_(t_.share_sources ? examples_by_source(training) : ExamplesBySource{}),
        per_epoch_(steps_per_epoch(static_cast<Index>(training.size()), batching_)),
        total_(t_.steps > 0 ? t_.steps : t_.epochs * per_epoch_),
        warmup_(t_.warmup_steps > 0 ? t_.warmup_steps
                                    : static_cast<Index>(std::ceil(t_.warmup_ratio * static_cast<double>(total_)))),
        optimizer_(make_optimizer(t_, parameters_)),
        cut_(cut) {
    if (parameters_.empty())
      fail<ConfigError>("[Trainer] got a model without trainable parameters; expected an adaptation that trains some");
    if (t_.patience > 0 && validation_.empty())
      fail<ConfigError>("[Trainer] got patience ", t_.patience,
                        " without validation examples; expected some to judge by");
  }

  [[nodiscard]] TrainingReport run() {
    KeptStates<Model> const kept(model_, t_.keep_frozen);
    begin();
    Progress progress(t_.progress, step_, total_, (total_ + per_epoch_ - 1) / per_epoch_);
    introduce(progress);
    try {
      progress_ = &progress;
      while (step_ < total_ && !report_.stopped_early && report_.interrupted == 0) {
        step();
        if (!validation_.empty() && due(t_.validate_every)) validate(progress);
        if (t_.stop && step_ < total_ && !report_.stopped_early) report_.interrupted = t_.stop();
        if (!t_.checkpoint.empty() && (due(t_.checkpoint_every) || report_.stopped_early || report_.interrupted != 0))
          write_checkpoint();
        if (t_.on_step) t_.on_step(report_.steps.back());
      }
      finish_late(true);
      if (!best_.empty()) restore(best_);
      static_cast<void>(sound_probe());
      if (report_.interrupted != 0)
        log_->end("interrupted", step_,
                  cat("asked to stop (", report_.interrupted, ") before step ", step_ + 1, " of ", total_));
      else
        log_->end(report_.stopped_early ? "stopped" : "end", step_);
    } catch (MemoryError const& error) {
      std::string const message = error.what() + what_fitted();
      abandon(message.c_str());
      fail<MemoryError>(message);
    } catch (Error const& error) {
      abandon(error.what());
      throw;
    } catch (std::bad_alloc const&) {
      abandon("out of memory");
      throw;
    } catch (std::exception const& error) {  // of the caller's own callbacks
      abandon(error.what());
      throw;
    } catch (...) {
      abandon("an exception of another kind");
      throw;
    }
    return std::move(report_);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Goes on from the newest checkpoint, or begins. Nothing of the model is changed before everything has been checked.
  void begin() {
    optimizer_->clear_gradients();
    std::uint64_t log_bytes = 0;
    if (!t_.checkpoint.empty()) {
      check_checkpoint_folder(t_.checkpoint);
      lock_.emplace(t_.checkpoint);
      identity_ = training_identity(t_, total_, parameters_, training_, validation_, model_identity(model_),
                                    objective_.identity());
      if (!t_.resume && has_checkpoint(t_.checkpoint))
        fail<ConfigError>("[", t_.checkpoint,
                          "] holds checkpoints of an earlier training; expected a new folder, or --resume "
                          "(Training::resume) to go on with "
                          "it; nothing was changed");
      if (t_.resume) log_bytes = resume_newest();
    }
    log_ = std::make_unique<TrainingLog>(t_.log, log_bytes);
    report_.cut = cut_;
    report_.trainable = model_.parameter_counts().trainable;
    report_.all = model_.parameter_counts().all;
  }

  std::uint64_t resume_newest() {
    if (auto saved = load_checkpoint<Scalar>(t_.checkpoint, &notes_)) {
      auto const log_bytes = resume(std::move(*saved));
      if (notes_.empty())
        prune_checkpoints(t_.checkpoint, kept_checkpoints);  // which a killed training may not have come to
      return log_bytes;
    }
    notes_.push_back(cat("no checkpoint in ", t_.checkpoint, " yet: beginning with step 1"));
    return 0;
  }

  std::uint64_t resume(SavedTraining<Scalar> saved) {
    check_identity(t_.checkpoint, saved.identity, identity_);
    if (auto const done = static_cast<Index>(saved.report.validations.size());
        saved.validations_since_best < 0 || saved.validations_since_best >= std::max<Index>(1, done))
      fail<FileError>("[", t_.checkpoint, "] counts ", saved.validations_since_best, " of ", done,
                      " validations without progress; expected fewer");
    for (auto const* parameter : parameters_)
      for (auto const* tensors : {&saved.parameters, &saved.best}) {
        auto const found = tensors->find(parameter->name());
        bool const fits = found == tensors->end() ? tensors == &saved.best && tensors->empty()
                                                  : found->second.shape() == parameter->value().shape();
        if (!fits)
          fail<FileError>("[", t_.checkpoint, "] lacks the values of parameter ", parameter->name(),
                          "; expected shape ", parameter->value().shape());
      }
    optimizer_->restore(moved_to<Device>(std::move(saved.optimizer)));
    NamedTensors<Scalar> const before = copies();
    try {
      restore(saved.parameters);
      if (double const now = probe(); !(std::abs(now - saved.probe) <= 1e-3 * (1.0 + std::abs(saved.probe))))
        fail<ConfigError>("[", t_.checkpoint, "] is a checkpoint over another base model; got log-probability ", now,
                          " for the first example; expected ", saved.probe, "; nothing was changed");
    } catch (...) {
      restore(before);
      throw;
    }
    best_ = std::move(saved.best);
    report_ = std::move(saved.report);
    since_progress_ = saved.validations_since_best;
    if (!report_.validations.empty())
      progress_loss_ =
          report_.validations[report_.validations.size() - 1 - static_cast<std::size_t>(since_progress_)].loss;
    step_ = static_cast<Index>(report_.steps.size());
    resumed_ = true;
    return saved.log_bytes;
  }

  void introduce(Progress& progress) const {
    for (auto const& note : notes_) progress.say(note);
    progress.say(parameter_line(report_.trainable, report_.all));
    if (cut_.any())
      progress.say(cat("cut to the maximum lengths: ", grouped(cut_.sources), " sources (", grouped(cut_.source_tokens),
                       " tokens of them), ", grouped(cut_.targets), " targets (", grouped(cut_.target_tokens),
                       " tokens of them) of ", grouped(static_cast<Index>(training_.size() + validation_.size())),
                       " examples"));
    if (t_.share_sources)
      progress.say(cat(grouped(static_cast<Index>(training_.size())), " examples have ",
                       grouped(static_cast<Index>(shared_.examples.size())), " sources",
                       shared_.any_shared() ? "; a pass computes once what they share"
                                            : ": only what different ones begin with is shared"));
    if constexpr (requires { model_.frozen_layers(); })
      if (t_.keep_frozen > 0)
        progress.say(cat(begins_frozen(model_) ? std::string("sources never change: up to ")
                                               : cat(model_.frozen_layers(), " layers never change: up to "),
                         grouped(t_.keep_frozen), " MiB of their ",
                         begins_frozen(model_) ? "keys and values" : "states",
                         " are kept; those of all examples take at most ", grouped(mib_to_keep())));
    if (resumed_) progress.say(cat("going on after step ", step_, " of ", total_));
  }

  /// What all examples take if no two have rows in common.
  [[nodiscard]] Index mib_to_keep() const {
    std::size_t bytes = 0;
    if constexpr (requires(TokenizedExample const& example) { model_.bytes_to_keep(example); })
      for (auto const* examples : {&training_, &validation_})
        for (auto const& example : *examples) bytes += model_.bytes_to_keep(example);
    return static_cast<Index>(bytes >> 20) + 1;
  }

  /// Whether something that happens every so many steps (0: at the end of each epoch), and after the last, happens
  /// after this step.
  [[nodiscard]] bool due(Index every) const { return step_ == total_ || step_ % (every > 0 ? every : per_epoch_) == 0; }

  /// The batches of a step's passes and their weight together; the report gets what is known before.
  [[nodiscard]] double pack(StepBatches const& plan, std::vector<Batch>& batches, StepReport& report) {
    double weight = 0;
    for (auto const& indices : plan) {
      batches.push_back(pack_selected(model_, training_, indices, t_.share_sources));
      if constexpr (std::is_same_v<Objective, TokenObjective> && !std::is_same_v<Device, Cpu>)
        if (t_.keep_frozen == 0 &&
            !begins_frozen(model_))  // by a row that nobody has kept; divided rows have other sizes
          round_up_tokens(model_, batches.back());
      batches.back().rows.step = static_cast<std::uint64_t>(step_);
      batches.back().rows.training = true;
      batches.back().rows.recompute = t_.recompute;
      weight += objective_weight(objective_, batches.back());
      for (Index i : indices)
        report.tokens += static_cast<Index>(training_[static_cast<std::size_t>(i)].source.size() +
                                            training_[static_cast<std::size_t>(i)].target.size());
    }
    if (!(weight > 0))
      fail<ConfigError>("[Trainer] got an objective that gives the examples of step ", step_ + 1, " the weight ",
                        weight, "; expected more than 0");
    report.learning_rate = t_.learning_rate * schedule_factor(t_.schedule, step_, warmup_, total_);
    report.step = step_ + 1;
    report.epoch = static_cast<double>(report.step) / static_cast<double>(per_epoch_);
    return weight;
  }

  /// On a GPU a step's loss and norm are read while the next step is computed, so that the device does not wait for the
  /// host. An update whose norm is no number changes nothing there. Where something reads or changes the model between
  /// steps, each step is waited for as on the host.
  void step() {
    Recording const recording;  // a step that fails leaves nothing on the tape
    WorkTogether<Device> const together;
    auto const start = Clock::now();
    StepBatches const& plan = plan_of(step_);
    std::vector<Batch> batches;
    StepReport report;
    double const weight = pack(plan, batches, report);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      pass_ = {batches[i].rows.count(), batches[i].rows.tokens() + batches[i].source.tokens()};
      auto const loss = objective_.loss(model_, batches[i], weight);
      if (reads_late_)
        late_.keep(loss.value());
      else
        add_loss(report, static_cast<double>(downloaded(loss.value()).data()[0]), plan[i], step_);
      backward(loss);
      fitted_ = std::max(fitted_, std::exchange(pass_, {}).tokens);
    }
    auto const gradients = measure_gradients(parameters_, t_.clip);
    if (reads_late_) {
      finish_late();  // before the next update
    } else {
      report.gradient_norm = gradients.value();
      check_norm(report, plan);
    }
    optimizer_->step(report.learning_rate, gradients.coefficient);
    optimizer_->clear_gradients();
    if (t_.on_update) t_.on_update(step_ + 1);
    ++step_;
    report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (reads_late_)
      late_.ask(report, plan, gradients.norm);
    else
      done(report);
  }
  /// @param pass the examples whose loss it is
  /// @param after the step whose parameters are kept where the loss is no number
  void add_loss(StepReport& report, double loss, std::vector<Index> const& pass, Index after) const {
    if (!std::isfinite(loss)) not_finite("loss", loss, {pass}, report, after);
    report.loss += loss;
  }
  void check_norm(StepReport const& report, StepBatches const& plan) const {
    if (!std::isfinite(report.gradient_norm))
      not_finite("gradient's norm", report.gradient_norm, plan, report, report.step - 1);
  }
  /// Reports the step whose numbers were not known yet, if there is one. `between` steps, waiting is no other step's
  /// time.
  void finish_late(bool between = false) {
    auto const start = Clock::now();
    late_.take([&](StepReport& report, StepBatches const& plan, std::vector<double> const& losses) {
      bool const moved = std::isfinite(report.gradient_norm);
      for (std::size_t i = 0; i < losses.size(); ++i)
        add_loss(report, losses[i], plan[i], moved ? report.step : report.step - 1);
      check_norm(report, plan);
      if (between) report.seconds += std::chrono::duration<double>(Clock::now() - start).count();
      done(report);
    });
  }
  /// A step whose loss and norm are known.
  void done(StepReport const& report) {
    report_.tokens += report.tokens;
    report_.seconds += report.seconds;
    report_.steps.push_back(report);
    log_->step(report, report_.tokens_per_second());
    progress_->step(report);
  }

  StepBatches const& plan_of(Index step) {
    if (Index const epoch = step / per_epoch_; epoch != planned_epoch_) {
      plan_ = plan_epoch(lengths_, batching_, epoch, t_.share_sources ? &shared_ : nullptr);
      planned_epoch_ = epoch;
    }
    return plan_[static_cast<std::size_t>(step % per_epoch_)];
  }

  void validate(Progress& progress) {
    finish_late(true);
    double const loss =
        evaluate_objective(model_, objective_, validation_, t_.max_tokens > 0 ? t_.max_tokens : 2048, t_.share_sources);
    if (!std::isfinite(loss))
      fail<NumericError>("[Trainer] the validation loss is ", loss, " after step ", step_,
                         "; expected a finite number; hint: a lower learning rate", kept());
    bool const best = !(loss >= report_.best_validation_loss);  // also the first, which is compared with NaN
    if (best) {
      report_.best_validation_loss = loss;
      report_.best_step = step_;
      if (t_.patience > 0) best_ = copies();
    }
    bool const better = !(loss >= progress_loss_ - t_.min_delta);  // the first, which is compared with NaN, too
    if (better) progress_loss_ = loss;
    since_progress_ = better ? 0 : since_progress_ + 1;
    report_.stopped_early = t_.patience > 0 && since_progress_ >= t_.patience && step_ < total_;
    report_.validations.push_back({step_, loss, best});
    log_->validation(report_.validations.back());
    progress.say(cat("step ", step_, "  validation loss ", loss, best ? "  (best)" : "",
                     report_.stopped_early
                         ? cat("  stopping: best was ", report_.best_validation_loss, " at step ", report_.best_step)
                         : ""));
    if (t_.on_validation) t_.on_validation(report_.validations.back());
  }

  void write_checkpoint() {
    finish_late(true);
    save_checkpoint(t_.checkpoint, state(sound_probe()));
    if (t_.on_checkpoint) t_.on_checkpoint({step_, checkpoint_path(t_.checkpoint, step_).string()});
  }

  /// @param after the step whose parameters are kept
  [[noreturn]] void not_finite(char const* what, double value, StepBatches const& plan, StepReport const& report,
                               Index after) const {
    std::string ids;
    std::size_t count = 0;
    for (auto const& pass : plan)
      for (Index i : pass)
        if (++count <= 16) ids += (ids.empty() ? "" : ", ") + std::to_string(training_[static_cast<std::size_t>(i)].id);
    fail<NumericError>("[Trainer] the ", what, " is ", value, " at step ", report.step, " (epoch ",
                       (report.step - 1) / per_epoch_ + 1, "), examples ", ids, count > 16 ? ", …" : "",
                       ", learning rate ", report.learning_rate,
                       "; expected a finite number; hint: a lower learning rate, a warm-up, or these examples; "
                       "parameters are those after step ",
                       after, kept());
  }
  /// What a message adds where it is true.
  [[nodiscard]] std::string kept() const {
    return t_.checkpoint.empty() || !has_checkpoint(t_.checkpoint)
               ? ""
               : cat("; the last checkpoint is kept in ", t_.checkpoint);
  }

  /// What a message about too little memory adds.
  [[nodiscard]] std::string what_fitted() const {
    std::string const settings = ", or recompute (Training's batch, accumulate, max_tokens, recompute)";
    if (pass_.tokens == 0) return settings + kept();  // between passes: an update, a validation
    return cat(settings, "; step ", step_ + 1, " had a pass of ", pass_.rows, pass_.rows == 1 ? " row" : " rows",
               " with ", pass_.tokens, " tokens, and ",
               fitted_ > 0 ? cat("the largest that fitted had ", fitted_) : "none has fitted before", kept());
  }

  /// After a failure: no half-finished gradient stays behind, and the log says what happened.
  void abandon(char const* message) noexcept {
    optimizer_->clear_gradients();
    try {
      finish_late(true);
    } catch (...) {  // that step has failed as well
    }
    try {
      log_->end("failed", static_cast<Index>(report_.steps.size()), message);
    } catch (...) {  // the failure itself is what the caller must hear of
    }
  }

  /// Mean log-probability of the first example's targets.
  [[nodiscard]] double probe() const {
    return -evaluate_loss(model_, std::vector<TokenizedExample>{training_.front()});
  }

  /// The probe of a model that the last update has not ruined: its loss would show that in the next step only, and what
  /// is saved now may take the place of something good.
  [[nodiscard]] double sound_probe() const {
    auto const refuse = [&](auto const& what, double value) {
      fail<NumericError>("[Trainer] the model is ruined after step ", step_, " (learning rate ",
                         report_.steps.empty() ? 0.0 : report_.steps.back().learning_rate, "): ", what, " is ", value,
                         "; expected finite numbers; nothing is saved of it; hint: a lower learning rate or a warm-up",
                         kept());
    };
    for (auto const* parameter : parameters_) {
      auto const value = downloaded(parameter->value());
      if (Index const i = first_not_finite(value); i >= 0)
        refuse("parameter " + parameter->name(), static_cast<double>(value.data()[i]));
    }
    double const value = probe();
    if (!std::isfinite(value)) refuse("the first training example's log-probability", value);
    return value;
  }

  [[nodiscard]] SavedTraining<Scalar> state(double probe) const {
    auto optimizer = moved_to<Cpu>(optimizer_->state());
    SavedTraining<Scalar> saved{identity_, report_, since_progress_, log_->size(),
                                probe,     {},      best_,           std::move(optimizer)};
    for (auto const* parameter : parameters_)
      saved.parameters.emplace(parameter->name(), downloaded(parameter->value()));
    return saved;
  }
  [[nodiscard]] NamedTensors<Scalar> copies() const {
    NamedTensors<Scalar> values;
    for (auto const* parameter : parameters_) values.emplace(parameter->name(), to_device<Cpu>(parameter->value()));
    return values;
  }
  void restore(NamedTensors<Scalar> const& values) const {
    for (auto* parameter : parameters_) parameter->assign(values.at(parameter->name()));
  }

  Training const& t_;
  Model& model_;
  Objective const& objective_;
  std::vector<TokenizedExample> const& training_;
  std::vector<TokenizedExample> const& validation_;
  ParameterList<Scalar, Device> parameters_;
  Batching batching_;
  std::vector<Index> lengths_;
  ExamplesBySource shared_;  ///< where they are shared
  Index per_epoch_, total_, warmup_;
  std::unique_ptr<Optimizer<Scalar, Device>> optimizer_;
  Truncation cut_;
  nlohmann::json identity_;
  std::optional<PathLock> lock_;
  std::unique_ptr<TrainingLog> log_;
  std::vector<std::string> notes_;
  std::vector<StepBatches> plan_;
  NamedTensors<Scalar> best_;
  TrainingReport report_;
  Progress* progress_ = nullptr;
  struct {
    Index rows, tokens;
  } pass_{};          ///< the last that was begun
  Index fitted_ = 0;  ///< tokens of the largest that came to its end
  LateStep<Scalar, Device> late_;
  bool reads_late_ = !std::is_same_v<Device, Cpu> && !t_.on_step && !t_.on_update;
  Index step_ = 0, planned_epoch_ = -1, since_progress_ = 0;
  double progress_loss_ = std::numeric_limits<double>::quiet_NaN();  ///< of the last validation that made progress
  bool resumed_ = false;
};

}  // namespace graft::detail
