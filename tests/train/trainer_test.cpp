#include <gtest/gtest.h>

#include <graft/core/thread_pool.hpp>
#include <graft/train/trainer.hpp>

#include <cmath>
#include <map>
#include <sstream>
#include <vector>

#include "train/bytes_tokenizer.hpp"
#include "train/scratch_folder.hpp"
#include "train/tiny_model.hpp"

namespace {

using graft::Index;
using graft::Training;
using graft::TrainingReport;

Training quick() {
  Training t;
  t.epochs = 6, t.batch = 4, t.learning_rate = 3e-2, t.warmup_steps = 3, t.progress = false;
  return t;
}

TEST(Trainer, LearnsToCount) {
  tiny::Model<float> model;
  auto settings = quick();
  settings.epochs = 40;
  auto const report = graft::Trainer(settings).fit(model, tiny::counting(33), tiny::counting(11));
  ASSERT_EQ(report.steps.size(), 40u * 9u);
  EXPECT_GT(report.steps.front().loss, 1.5);
  EXPECT_LT(report.validations.back().loss, 0.2);
  EXPECT_EQ(report.validations.size(), 40u);
  EXPECT_EQ(report.trainable, 11 * 8 + 64 + 8);
  EXPECT_EQ(report.all, report.trainable + 88);
  EXPECT_GT(report.tokens_per_second(), 0.0);
  Index tokens = 0;
  for (auto const& example : tiny::counting(33))
    tokens += static_cast<Index>(example.source.size() + example.target.size());
  EXPECT_EQ(report.tokens, 40 * tokens);
  EXPECT_EQ(report.validations.back().loss, graft::evaluate_loss(model, tiny::counting(11)));
}

/// The loss of a first step, from its definition: −Σ log p / (number of target tokens), dropout off.
TEST(Trainer, LossIsTheTokenMean) {
  tiny::Model<double> model;
  model.dropout = 0;
  double sum = 0, count = 0;
  auto const examples = tiny::counting(10);
  {
    graft::NoGrad const no_grad;
    for (auto const& example : examples) {
      auto const scores = model.scores(graft::pack({example}));
      for (Index i = 0; i < scores.log_probability.value().size(); ++i, ++count)
        sum -= scores.log_probability.value().data()[i];
    }
  }
  EXPECT_NEAR(graft::evaluate_loss(model, examples, 7), sum / count, 1e-12);
  auto settings = quick();
  settings.batch = 10, settings.steps = 1;
  auto const report = graft::Trainer(settings).fit(model, examples);
  ASSERT_EQ(report.steps.size(), 1u);
  EXPECT_NEAR(report.steps[0].loss, sum / count, 1e-12);
  EXPECT_EQ(report.steps[0].learning_rate, 0.0);  // the first step of a warm-up
}

TEST(Trainer, AccumulationEqualsTheBigBatch) {
  auto const train = [](Index batch, Index accumulate, Index max_tokens) {
    tiny::Model<double> model;
    auto settings = quick();
    settings.batch = batch, settings.accumulate = accumulate, settings.max_tokens = max_tokens,
    settings.learning_rate = 1e-2;
    auto report = graft::Trainer(settings).fit(model, tiny::counting(32));
    return std::pair(report, model.numbers());
  };
  auto const [whole, numbers] = train(6, 1, 0);
  for (auto const& [batch, accumulate, max_tokens] : {std::tuple<Index, Index, Index>{2, 3, 0}, {1, 6, 0}, {6, 1, 9}}) {
    auto const [parts, others] = train(batch, accumulate, max_tokens);
    ASSERT_EQ(parts.steps.size(), whole.steps.size());
    for (std::size_t i = 0; i < whole.steps.size(); ++i) {
      EXPECT_NEAR(parts.steps[i].loss, whole.steps[i].loss, 1e-12 * whole.steps[i].loss) << "step " << i;
      EXPECT_EQ(parts.steps[i].tokens, whole.steps[i].tokens);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i)
      EXPECT_NEAR(others[i], numbers[i], 1e-12 * (1.0 + std::abs(numbers[i])));
  }
}

TEST(Trainer, SameBitsForAnyNumberOfThreadsAndAgain) {
  std::vector<std::vector<float>> results;
  std::vector<std::vector<double>> losses;
  for (int threads : {1, 2, 3, 1}) {
    graft::ThreadPool::global().resize(threads);
    tiny::Model<float> model(1, 600, 96);  // large enough to be cut into several threads' work
    auto const report = graft::Trainer(quick()).fit(model, tiny::counting(40, 600));
    results.push_back(model.numbers());
    losses.emplace_back();
    for (auto const& step : report.steps) losses.back().push_back(step.loss);
  }
  graft::ThreadPool::global().resize(2);
  for (std::size_t i = 1; i < results.size(); ++i) {
    EXPECT_TRUE(results[i] == results[0]) << i;
    EXPECT_EQ(losses[i], losses[0]);
  }
}

TEST(Trainer, SeedChangesTheOrder) {
  auto const first_loss = [](std::uint64_t seed) {
    tiny::Model<double> model;
    auto settings = quick();
    settings.seed = seed;
    return graft::Trainer(settings).fit(model, tiny::counting(33)).steps[0].loss;
  };
  EXPECT_EQ(first_loss(1), first_loss(1));
  EXPECT_NE(first_loss(1), first_loss(2));
}

TEST(Trainer, StepsEpochsAndRates) {
  tiny::Model<double> model;
  auto settings = quick();
  settings.steps = 20, settings.warmup_steps = 0, settings.warmup_ratio = 0.12;  // ⌈2.4⌉ = 3 steps
  auto const report = graft::Trainer(settings).fit(model, tiny::counting(33), tiny::counting(5));
  ASSERT_EQ(report.steps.size(), 20u);
  EXPECT_DOUBLE_EQ(report.steps[1].learning_rate, 3e-2 / 3.0);
  EXPECT_DOUBLE_EQ(report.steps[3].learning_rate, 3e-2);
  EXPECT_DOUBLE_EQ(report.steps[19].learning_rate, 3e-2 / 17.0);
  EXPECT_DOUBLE_EQ(report.steps[8].epoch, 1.0);
  std::vector<Index> validated;
  for (auto const& validation : report.validations) validated.push_back(validation.step);
  EXPECT_EQ(validated, (std::vector<Index>{9, 18, 20}));
}

TEST(Trainer, EarlyStoppingRestoresTheBest) {
  tiny::Model<double> model;
  model.dropout = 0;
  auto settings = quick();
  settings.epochs = 60, settings.patience = 3, settings.validate_every = 4,
  settings.schedule = graft::Schedule::constant;
  std::map<Index, std::vector<double>> after;
  settings.on_step = [&](graft::StepReport const& step) { after[step.step] = model.numbers(); };
  // validation contradicts training (counts by two), so its loss soon rises
  auto const validation = tiny::counting(11, 11, 2);
  auto const report = graft::Trainer(settings).fit(model, tiny::counting(33), validation);
  EXPECT_TRUE(report.stopped_early);
  EXPECT_EQ(static_cast<Index>(report.steps.size()), report.best_step + 3 * 4);
  EXPECT_EQ(model.numbers(), after.at(report.best_step));
  EXPECT_NE(model.numbers(), after.rbegin()->second);
  EXPECT_EQ(graft::evaluate_loss(model, validation), report.best_validation_loss);
  for (auto const& v : report.validations) EXPECT_GE(v.loss, report.best_validation_loss);
  settings.patience = 0;
  tiny::Model<double> other;
  EXPECT_FALSE(graft::Trainer(settings).fit(other, tiny::counting(33), validation).stopped_early);
}

TEST(Trainer, CutsAreCountedAndSaid) {
  tiny::Model<double> model(1, 128);
  auto settings = quick();
  settings.epochs = 1, settings.max_source = 6, settings.max_target = 4, settings.progress = true;
  testing::internal::CaptureStderr();
  auto const report = graft::Trainer(settings).fit(
      model, std::vector<graft::Example>{{"abcdef", "uvwxyz", {}, {}}, {"abc", "uv", {}, {}}}, BytesTokenizer{});
  std::string const said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(report.cut.sources, 1);
  EXPECT_EQ(report.cut.source_tokens, 3);
  EXPECT_EQ(report.cut.targets, 1);
  EXPECT_EQ(report.cut.target_tokens, 4);
  EXPECT_EQ(report.tokens, 6 + 4 + 6 + 4);
  EXPECT_NE(
      said.find("cut to the maximum lengths: 1 sources (3 tokens of them), 1 targets (4 tokens of them) of 2 examples"),
      std::string::npos)
      << said;
  EXPECT_NE(said.find("trainable params: 1,096 || all params: 2,120 || trainable%: 51.6981"), std::string::npos)
      << said;
}

TEST(Trainer, LogsEveryStepAndValidation) {
  ScratchFolder const folder;
  tiny::Model<double> model;
  auto settings = quick();
  settings.epochs = 2, settings.log = folder / "log.jsonl";
  auto const report = graft::Trainer(settings).fit(model, tiny::counting(33), tiny::counting(5));
  std::istringstream lines(read_all(settings.log));
  std::map<std::string, Index> events;
  Index steps = 0;
  for (std::string line; std::getline(lines, line);) {
    auto const object = nlohmann::json::parse(line);
    ++events[object.at("event").get<std::string>()];
    if (object.at("event") == "step") {
      auto const& step = report.steps[static_cast<std::size_t>(steps++)];
      EXPECT_EQ(object.at("step").get<Index>(), step.step);
      EXPECT_EQ(object.at("loss").get<double>(), step.loss);
      EXPECT_EQ(object.at("gradient_norm").get<double>(), step.gradient_norm);
    }
  }
  EXPECT_EQ(events, (std::map<std::string, Index>{{"step", 18}, {"validation", 2}, {"end", 1}}));
}

}  // namespace
