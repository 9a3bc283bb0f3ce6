// Losses of one's own, least improvements, and what a training calls back: with validation, early stopping and
// checkpoints as for the built-in loss, and the same bits after a resume.
#include <gtest/gtest.h>

#include <graft/ops/arithmetic.hpp>
#include <graft/ops/elementary.hpp>
#include <graft/train/trainer.hpp>

#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/refusals.hpp"
#include "train/scratch_folder.hpp"
#include "train/tiny_model.hpp"

namespace {

using graft::Index;
using graft::Training;
using graft::TrainingReport;
using graft::testing::expect_within;
using graft::testing::message_of;
using Model = tiny::Model<float>;

struct Stop {};

/// A device without room for more than so many tokens.
struct Large {
  Index most;
  graft::Variable<float> loss(Model& model, graft::Batch const& batch, double normaliser) const {
    if (batch.rows.tokens() > most) graft::fail<graft::MemoryError>("[cuda] out of memory; hint: a smaller batch");
    return graft::token_loss(model.scores(batch), batch.rows.targets, normaliser);
  }
  [[nodiscard]] std::string identity() const { return "large"; }
};

/// The built-in loss, written again.
struct Again {
  graft::Variable<float> loss(Model& model, graft::Batch const& batch, double normaliser) const {
    return graft::token_loss(model.scores(batch), batch.rows.targets, normaliser);
  }
  [[nodiscard]] std::string identity() const { return "mean −log p, again"; }
};

/// −Σ (1 − p)^γ · log p: focal loss (Lin et al. 2017).
struct Focal {
  double gamma = 2;

  graft::Variable<float> loss(Model& model, graft::Batch const& batch, double normaliser) const {
    auto const log_p = model.scores(batch).log_probability;  // [targets]
    graft::Variable<float> const one(graft::full(log_p.shape(), 1.F));
    auto const doubt = graft::power(graft::subtract(one, graft::exp(log_p)), gamma);  // [targets]
    return graft::scale(graft::sum(graft::multiply(doubt, log_p)), -1 / normaliser);
  }
  [[nodiscard]] std::string identity() const { return graft::cat("focal, gamma ", gamma); }
};

/// A row counts once, however many targets it has.
struct ByRow : Focal {
  [[nodiscard]] double weight(graft::Batch const& batch) const {
    return weight_of_row * static_cast<double>(batch.rows.count());
  }
  [[nodiscard]] std::string identity() const { return "by row"; }
  double weight_of_row = 1;
};

Training settings_of(std::string const& folder = "") {
  Training t;
  t.epochs = 4, t.batch = 2, t.accumulate = 2, t.learning_rate = 2e-2, t.warmup_ratio = 0.1, t.validate_every = 5,
  t.progress = false;
  t.checkpoint = folder, t.resume = !folder.empty();
  return t;
}
template <class Objective>
TrainingReport train(Model& model, Training const& settings, Objective const& objective) {
  return graft::Trainer(settings).fit(model, tiny::counting(27), tiny::counting(8), objective);
}
TrainingReport train(Model& model, Training const& settings) {
  return graft::Trainer(settings).fit(model, tiny::counting(27), tiny::counting(8));
}

/// Stops a training after each of some steps, goes on, and compares with one that never stopped.
template <class Train>
void expect_resumed_to_the_same_bits(Train const& train_with, std::vector<Index> const& stops) {
  ScratchFolder const folder;
  Model whole;
  auto const expected = train_with(whole, settings_of());
  for (Index const stop : stops) {
    auto settings = settings_of(folder / graft::cat("stop-", stop).c_str());
    settings.checkpoint_every = 3;
    Model first, second;
    auto interrupted = settings;
    interrupted.on_step = [&](graft::StepReport const& step) {
      if (step.step == stop) throw Stop{};
    };
    EXPECT_THROW((void)train_with(first, interrupted), Stop);
    auto const report = train_with(second, settings);
    EXPECT_EQ(second.numbers(), whole.numbers()) << "stopped after step " << stop;
    ASSERT_EQ(report.validations.size(), expected.validations.size());
    for (std::size_t i = 0; i < report.validations.size(); ++i)
      EXPECT_EQ(report.validations[i].loss, expected.validations[i].loss);
    EXPECT_EQ(report.stopped_early, expected.stopped_early);
    EXPECT_EQ(report.best_step, expected.best_step);
  }
}

TEST(Objective, TheBuiltInLossWrittenAgainTrainsToTheSameBits) {
  Model own, built_in;
  auto const report = train(own, settings_of(), Again{}), expected = train(built_in, settings_of());
  EXPECT_EQ(own.numbers(), built_in.numbers());
  ASSERT_EQ(report.steps.size(), expected.steps.size());
  EXPECT_EQ(report.steps.back().loss, expected.steps.back().loss);
  ASSERT_EQ(report.validations.size(), expected.validations.size());
  for (std::size_t i = 0; i < report.validations.size(); ++i)
    EXPECT_NEAR(report.validations[i].loss, expected.validations[i].loss, 1e-6);
}

TEST(Objective, ALossOfOnesOwnIsMinimisedValidatedAndKeptAtItsBest) {
  Model model;
  model.dropout = 0;
  auto settings = settings_of();
  settings.epochs = 60, settings.validate_every = 4, settings.patience = 3,
  settings.schedule = graft::Schedule::constant, settings.learning_rate = 3e-2;
  std::map<Index, std::vector<float>> after;
  settings.on_step = [&](graft::StepReport const& step) { after[step.step] = model.numbers(); };
  // validation contradicts training (counts by two), so its loss soon rises
  auto const validation = tiny::counting(11, 11, 2);
  auto const report = graft::Trainer(settings).fit(model, tiny::counting(33), validation, Focal{});
  EXPECT_TRUE(report.stopped_early);
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
  EXPECT_EQ(model.numbers(), after.at(report.best_step));
  EXPECT_EQ(graft::evaluate_objective(model, Focal{}, validation, settings.max_tokens), report.best_validation_loss);
  EXPECT_NE(graft::evaluate_loss(model, validation), report.best_validation_loss);
  double expected = 0, weight = 0;  // by plain loops
  graft::NoGrad const no_grad;
  for (auto const& example : validation) {
    auto const log_p = model.scores(graft::pack({example})).log_probability.value();
    for (Index k = 0; k < log_p.size(); ++k, ++weight) {
      double const p = std::exp(static_cast<double>(log_p.data()[k]));
      expected -= (1 - p) * (1 - p) * std::log(p);
    }
  }
  EXPECT_NEAR(report.best_validation_loss, expected / weight, 1e-5);
}

TEST(Objective, ResumesToTheSameBits) {
  expect_resumed_to_the_same_bits(
      [](Model& model, Training settings) {
        settings.patience = 3;
        return train(model, settings, Focal{1.5});
      },
      {2, 7, 13, 20, 27});
}

TEST(Objective, ACheckpointOfAnotherIsRefused) {
  ScratchFolder const folder;
  auto settings = settings_of(folder / "run");
  Model model;
  (void)train(model, settings, Focal{2});
  auto const before = model.numbers();
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, settings, Focal{3}); }),
                {"objective", "focal, gamma 2", "focal, gamma 3", "nothing was changed"});
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, settings); }),
                {"objective", "focal, gamma 2", "none"});
  EXPECT_EQ(model.numbers(), before);
  EXPECT_EQ(train(model, settings, Focal{2}).steps.size(), 28u);
  auto plain = settings_of(folder / "plain");
  (void)train(model, plain);
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, plain, Focal{2}); }),
                {"got objective none; expected \"focal, gamma 2\""});
}

TEST(Objective, MayWeighBatchesItself) {
  Model model;
  auto const data = tiny::counting(8);
  double const by_row = graft::evaluate_objective(model, ByRow{}, data),
               by_target = graft::evaluate_objective(model, Focal{}, data);
  double targets = 0;
  for (auto const& example : data) targets += static_cast<double>(example.target.size());
  EXPECT_NEAR(by_row * 8, by_target * targets, 1e-4);
  EXPECT_EQ(graft::evaluate_objective(model, graft::TokenObjective{}, data), graft::evaluate_loss(model, data));
  ByRow nothing;
  nothing.weight_of_row = 0;
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, settings_of(), nothing); }),
                {"gives the examples of step 1 the weight 0; expected more than 0"});
  expect_within(message_of<graft::ConfigError>([&] { (void)graft::evaluate_objective(model, nothing, data); }),
                {"8 examples of the weight 0"});
}

/// What patience and the least improvement say of these losses: the number of the validation that ends the training.
std::size_t stops_at(std::vector<double> const& losses, Index patience, double min_delta) {
  double reference = HUGE_VAL;
  Index without = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    bool const better = losses[i] < reference - min_delta;
    if (better) reference = losses[i];
    without = better ? 0 : without + 1;
    if (without >= patience) return i;
  }
  return losses.size();
}

TEST(TooLittleMemory, IsSaidWithThePassAndWithWhatFitted) {
  auto const examples = tiny::counting(27);
  Index longest = 0;
  for (auto const& example : examples) longest = std::max(longest, graft::row_length(example));
  Training settings = settings_of();
  settings.batch = 1, settings.accumulate = 1;
  auto const said = [&](Index most) {
    Model model;
    return message_of<graft::MemoryError>(
        [&] { (void)graft::Trainer(settings).fit(model, examples, {}, Large{most}); });
  };
  expect_within(said(0), {"[cuda] out of memory; hint: a smaller batch", "recompute",
                          "step 1 had a pass of 1 row with ", "none has fitted before"});
  expect_within(said(longest - 1),
                {graft::cat("a pass of 1 row with ", longest, " tokens"), "the largest that fitted had "});
}

TEST(MinDelta, SmallImprovementsAreNoProgress) {
  auto settings = settings_of();
  settings.epochs = 20, settings.validate_every = 3, settings.schedule = graft::Schedule::constant;
  Model whole;
  std::vector<double> losses;
  for (auto const& v : train(whole, settings).validations) losses.push_back(v.loss);
  std::vector<std::size_t> ends;
  for (double const min_delta : {0.0, 0.02, 0.1, 0.3, 100.0}) {
    settings.patience = 2, settings.min_delta = min_delta;
    Model model;
    std::map<Index, std::vector<float>> after;
    settings.on_step = [&](graft::StepReport const& step) { after[step.step] = model.numbers(); };
    auto const report = train(model, settings);
    std::size_t const end = stops_at(losses, 2, min_delta);
    ASSERT_EQ(report.validations.size(), std::min(end + 1, losses.size())) << min_delta;
    ends.push_back(end);
    double lowest = HUGE_VAL;
    for (auto const& v : report.validations) lowest = std::min(lowest, v.loss);
    EXPECT_EQ(report.best_validation_loss, lowest) << "the lowest is kept, progress or not";
    EXPECT_EQ(model.numbers(), after.at(report.best_step));
  }
  EXPECT_EQ(ends.back(), 2u) << "only the first makes progress of 100";
  EXPECT_GT(ends[1], ends.back()) << "the cases differ";
}

TEST(MinDelta, ManySmallImprovementsAreProgressTogether) {
  EXPECT_EQ(stops_at({5, 4.9, 4.8, 4.7, 4.6, 4.5}, 3, 0.25), 6u);
  EXPECT_EQ(stops_at({5, 4.9, 4.8, 4.7, 4.6, 4.5}, 2, 0.25), 2u);
}

TEST(MinDelta, ResumesToTheSameBits) {
  expect_resumed_to_the_same_bits(
      [](Model& model, Training settings) {
        settings.epochs = 12, settings.validate_every = 3, settings.patience = 3, settings.min_delta = 0.05;
        return train(model, settings);
      },
      {4, 11, 19, 26});
}

TEST(MinDelta, IsPartOfACheckpointsIdentityAndNeedsPatience) {
  ScratchFolder const folder;
  auto settings = settings_of(folder / "run");
  settings.patience = 3, settings.min_delta = 0.01;
  Model model;
  (void)train(model, settings);
  settings.min_delta = 0.02;
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, settings); }), {"min_delta", "0.01", "0.02"});
  settings.min_delta = 0;
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, settings); }), {"min_delta", "0.01", "none"});
  settings.patience = 0, settings.min_delta = 0.01;
  EXPECT_EQ(message_of<graft::ConfigError>([&] { (void)graft::Trainer(settings); }),
            "[Training] got min_delta = 0.01; expected 0 without patience, where it has no effect");
  settings.patience = 1;
  for (double const wrong : {-1.0, std::nan(""), HUGE_VAL}) {
    settings.min_delta = wrong;
    expect_within(message_of<graft::ConfigError>([&] { (void)graft::Trainer(settings); }),
                  {"got min_delta", "expected 0 or more"});
  }
}

/// Makes the rows orthonormal, one after the other (Gram & Schmidt).
void orthonormalize(graft::Tensor<float> matrix) {
  auto const dot = [&](Index a, Index b) {
    double sum = 0;
    for (Index j = 0; j < matrix.width(); ++j)
      sum += static_cast<double>(matrix.row(a)[j]) * static_cast<double>(matrix.row(b)[j]);
    return sum;
  };
  for (Index i = 0; i < matrix.rows(); ++i) {
    for (Index k = 0; k < i; ++k) {
      auto const share = static_cast<float>(dot(i, k));
      for (Index j = 0; j < matrix.width(); ++j) matrix.row(i)[j] -= share * matrix.row(k)[j];
    }
    auto const length = static_cast<float>(std::sqrt(dot(i, i)));
    for (Index j = 0; j < matrix.width(); ++j) matrix.row(i)[j] /= length;
  }
}
double distance_from_orthonormal(graft::Tensor<float> const& matrix) {
  double largest = 0;
  for (Index i = 0; i < matrix.rows(); ++i)
    for (Index k = 0; k < matrix.rows(); ++k) {
      double sum = i == k ? -1 : 0;
      for (Index j = 0; j < matrix.width(); ++j)
        sum += static_cast<double>(matrix.row(i)[j]) * static_cast<double>(matrix.row(k)[j]);
      largest = std::max(largest, std::abs(sum));
    }
  return largest;
}
TrainingReport train_orthonormal(Model& model, Training settings) {
  auto* const weight = model.parameters()[1];
  settings.on_update = [weight](Index) { orthonormalize(weight->mutable_value()); };
  return train(model, settings);
}

TEST(OnUpdate, KeepsAMatrixOrthonormal) {
  Model kept, free;
  auto settings = settings_of();
  std::vector<double> distances;
  std::vector<Index> steps;
  settings.on_step = [&](graft::StepReport const&) {
    distances.push_back(distance_from_orthonormal(kept.parameters()[1]->value()));
  };
  settings.patience = 3;
  auto const report = train_orthonormal(kept, settings);
  EXPECT_EQ(distances.size(), report.steps.size());
  for (double const distance : distances) EXPECT_LT(distance, 1e-5);
  EXPECT_LT(distance_from_orthonormal(kept.parameters()[1]->value()), 1e-5) << "the best parameters, too";
  settings.on_step = nullptr;
  settings.on_update = [&](Index step) { steps.push_back(step); };
  (void)train(free, settings);
  EXPECT_GT(distance_from_orthonormal(free.parameters()[1]->value()), 1e-2) << "without the hook it is not";
  EXPECT_EQ(steps.front(), 1);
  EXPECT_EQ(steps.size(), static_cast<std::size_t>(steps.back()));
  EXPECT_LT(report.steps.back().loss, report.steps.front().loss);
}

TEST(OnUpdate, ResumesToTheSameBits) { expect_resumed_to_the_same_bits(train_orthonormal, {1, 7, 14, 27}); }

TEST(OnUpdate, ATrainingWithOneIsNotGoneOnWithWithout) {
  ScratchFolder const folder;
  Model model;
  (void)train_orthonormal(model, settings_of(folder / "with"));
  expect_within(message_of<graft::ConfigError>([&] { (void)train(model, settings_of(folder / "with")); }),
                {"got on_update true; expected none"});
  (void)train(model, settings_of(folder / "without"));
  expect_within(
      message_of<graft::ConfigError>([&] { (void)train_orthonormal(model, settings_of(folder / "without")); }),
      {"got on_update none; expected true"});
}

TEST(Callbacks, TellOfValidationsAndWholeCheckpoints) {
  ScratchFolder const folder;
  auto settings = settings_of(folder / "run");
  settings.checkpoint_every = 6;
  std::vector<graft::ValidationReport> validations;
  std::vector<Index> checkpoints;
  std::vector<std::string> order;
  Model model;
  settings.on_validation = [&](graft::ValidationReport const& v) {
    validations.push_back(v);
    order.push_back(graft::cat("validation ", v.step));
  };
  settings.on_checkpoint = [&](graft::CheckpointReport const& c) {
    auto const saved = graft::read_checkpoint<float>(c.folder);  // checks every file against the manifest
    EXPECT_EQ(static_cast<Index>(saved.report.steps.size()), c.step);
    EXPECT_EQ(saved.parameters.at("hidden.weight").data()[5], model.parameters()[1]->value().data()[5]);
    checkpoints.push_back(c.step);
    order.push_back(graft::cat("checkpoint ", c.step));
  };
  settings.on_update = [&](Index step) { order.push_back(graft::cat("update ", step)); };
  settings.on_step = [&](graft::StepReport const& s) { order.push_back(graft::cat("step ", s.step)); };
  auto const report = train(model, settings);
  EXPECT_EQ(checkpoints, (std::vector<Index>{6, 12, 18, 24, 28}));
  ASSERT_EQ(validations.size(), report.validations.size());
  for (std::size_t i = 0; i < validations.size(); ++i) {
    EXPECT_EQ(validations[i].step, report.validations[i].step);
    EXPECT_EQ(validations[i].loss, report.validations[i].loss);
    EXPECT_EQ(validations[i].best, report.validations[i].best);
  }
  std::vector<std::string> const last(order.end() - 4, order.end());
  EXPECT_EQ(last, (std::vector<std::string>{"update 28", "validation 28", "checkpoint 28", "step 28"}));
}

TEST(Callbacks, WhatTheyThrowEndsTheTraining) {
  ScratchFolder const folder;
  auto const check = [&](char const* name, auto const& set) {
    auto settings = settings_of(folder / name);
    settings.log = folder / "log.jsonl";
    settings.checkpoint_every = 5;
    set(settings);
    Model model;
    EXPECT_THROW((void)train(model, settings), Stop) << name;
    EXPECT_NE(read_all(settings.log).find("\"failed\""), std::string::npos) << name;
  };
  check("update", [](Training& t) { t.on_update = [](Index) { throw Stop{}; }; });
  check("validation", [](Training& t) { t.on_validation = [](auto const&) { throw Stop{}; }; });
  check("checkpoint", [](Training& t) { t.on_checkpoint = [](auto const&) { throw Stop{}; }; });
  EXPECT_TRUE(graft::has_checkpoint(folder / "checkpoint")) << "it was written before";
}

}  // namespace
