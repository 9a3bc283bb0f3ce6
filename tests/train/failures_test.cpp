// What goes wrong is said in one sentence, and nothing is lost by it.
#include <gtest/gtest.h>

#include <graft/core/warning.hpp>
#include <graft/train/trainer.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "support/refusals.hpp"
#include "train/scratch_folder.hpp"
#include "train/tiny_model.hpp"

namespace {

using graft::Index;
using graft::Training;
using graft::testing::expect_within;
using graft::testing::message_of;

Training quick() {
  Training t;
  t.epochs = 3, t.batch = 3, t.learning_rate = 1e-2, t.progress = false;
  return t;
}

TEST(Failures, InfiniteGradientKeepsTheStepBefore) {
  ScratchFolder const folder;
  auto const run = [&](Index fail_at, Index stop_at) {
    auto model = std::make_unique<tiny::Model<double>>();
    model->infinite_gradient_at = fail_at;
    auto settings = quick();
    settings.checkpoint = folder / ("run" + std::to_string(fail_at)).c_str(), settings.checkpoint_every = 4,
    settings.log = folder / "log.jsonl";
    settings.on_step = [&](graft::StepReport const& step) {
      if (step.step == stop_at) throw std::runtime_error("stopped");
    };
    std::string const message =
        message_of<std::exception>([&] { (void)graft::Trainer(settings).fit(*model, tiny::counting(20)); });
    return std::pair(message, std::move(model));
  };
  auto const [stopped, expected] = run(-1, 9);
  EXPECT_EQ(stopped, "stopped");
  auto const [message, model] = run(9, -1);  // steps count from 0 in Rows: this is the tenth
  expect_within(message, {"gradient's norm is ", " at step 10 (epoch 2), examples ", "learning rate ",
                          "hint: ", "parameters are those after step 9", "checkpoint is kept"});
  EXPECT_EQ(model->numbers(), expected->numbers());
  EXPECT_FALSE(model->table().has_gradient());
  EXPECT_EQ(graft::Tape::current().size(), 0u);
  auto const saved = graft::load_checkpoint<double>(folder / "run9");
  ASSERT_TRUE(saved.has_value());
  EXPECT_EQ(saved->report.steps.size(), 8u);
  expect_within(read_all(folder / "log.jsonl"),
                {"\"event\":\"failed\",\"step\":9,\"message\":\"[Trainer] the gradient's norm"});
}

TEST(Failures, NotANumberLossNamesItsExamples) {
  tiny::Model<float> model(1, 20);
  auto examples = tiny::counting(20);
  examples[13].source.back() = 19;  // the only place where token 19 is read
  auto table = model.table().mutable_value();
  table.row(19)[0] = std::numeric_limits<float>::quiet_NaN();
  auto settings = quick();
  settings.batch = 1, settings.clip = 0;
  auto const message = message_of<graft::NumericError>([&] { (void)graft::Trainer(settings).fit(model, examples); });
  expect_within(message, {"[Trainer] the loss is ", "nan", "examples 13, learning rate"});
  for (float value : model.numbers())
    if (std::isnan(value)) table.row(19)[0] = 0;
  for (float value : model.numbers()) EXPECT_FALSE(std::isnan(value));
  EXPECT_EQ(graft::Tape::current().size(), 0u);
}

TEST(Failures, NotANumberInValidation) {
  tiny::Model<float> model(1, 20);
  auto validation = tiny::counting(3);
  validation[1].source.back() = 19;
  model.table().mutable_value().row(19)[0] = std::numeric_limits<float>::infinity();
  auto settings = quick();
  model.table().mutable_value().row(19)[1] = -std::numeric_limits<float>::infinity();
  expect_within(message_of<graft::NumericError>(
                    [&] { (void)graft::Trainer(settings).fit(model, tiny::counting(9), validation); }),
                {"validation loss is ", "after step 3"});
}

// The loss of the step that ruins a model is that of the model before it: nothing else would tell.
TEST(Failures, ARuinedModelIsNoEndOfATraining) {
  ScratchFolder const folder;
  auto settings = quick();
  settings.steps = 1, settings.learning_rate = 3e38, settings.clip = 0, settings.weight_decay = 1e3,
  settings.schedule = graft::Schedule::constant;
  auto const train = [&] {
    tiny::Model<float> model;
    return message_of<graft::NumericError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(9)); });
  };
  std::vector<std::string> const says{"[Trainer] the model is ruined after step 1 (learning rate ", "parameter ",
                                      "expected finite numbers", "nothing is saved of it",
                                      "hint: a lower learning rate"};
  expect_within(train(), says);

  settings.checkpoint = folder / "run", settings.log = folder / "log.jsonl";
  expect_within(train(), says);
  EXPECT_FALSE(graft::has_checkpoint(settings.checkpoint));
}

// Numbers that are finite, and a loss that is not.
TEST(Failures, NorIsOneWithoutALoss) {
  tiny::Model<float> model;
  auto settings = quick();
  settings.steps = 1, settings.learning_rate = 0;
  settings.on_step = [&](graft::StepReport const&) {
    auto values = model.table().mutable_value();
    std::fill_n(values.data(), values.size(), 1e38F);
    auto weight = model.parameters()[1]->mutable_value();
    weight.data()[0] = 100, weight.data()[1] = -100;  // ∞ − ∞ in the product
  };
  expect_within(message_of<graft::NumericError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(9)); }),
                {"ruined after step 1", "log-probability is "});
}

TEST(Failures, ThrowingModelLeavesNoRecording) {
  tiny::Model<float> model;
  auto examples = tiny::counting(9);
  examples[4].target.front() = 99;  // outside the vocabulary
  EXPECT_THROW((void)graft::Trainer(quick()).fit(model, examples), graft::Error);
  EXPECT_EQ(graft::Tape::current().size(), 0u);
  EXPECT_NO_THROW((void)graft::Trainer(quick()).fit(model, tiny::counting(9)));
}

TEST(Failures, RequestsThatCannotBeCarriedOut) {
  tiny::Model<float> model;
  graft::Trainer const trainer(quick());
  expect_within(
      message_of<graft::ConfigError>([&] { (void)trainer.fit(model, std::vector<graft::TokenizedExample>{}); }),
      {"no training examples"});
  auto examples = tiny::counting(4);
  examples[2].target.clear();
  expect_within(message_of<graft::ConfigError>([&] { (void)trainer.fit(model, examples); }),
                {"training number 2", "without target"});
  examples = tiny::counting(4);
  examples[3].source.clear();
  expect_within(message_of<graft::ConfigError>([&] { (void)trainer.fit(model, tiny::counting(4), examples); }),
                {"validation number 3", "without source"});
  auto settings = quick();
  settings.patience = 2;
  expect_within(message_of<graft::ConfigError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(4)); }),
                {"patience 2 without validation"});
  settings = quick();
  settings.drop_last = true, settings.batch = 5;
  expect_within(message_of<graft::ConfigError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(4)); }),
                {"4 examples for steps of 5"});
  settings = quick();
  settings.log = "/proc/nowhere/log.jsonl";
  expect_within(message_of<graft::FileError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(4)); }),
                {"/proc/nowhere/log.jsonl", "cannot be written"});
}

TEST(Failures, NoCheckpointIsPromisedWhereThereIsNone) {
  ScratchFolder const folder;
  auto const message = [&](std::string const& checkpoint, Index every) {
    tiny::Model<double> model;
    model.infinite_gradient_at = 5;
    auto settings = quick();
    settings.checkpoint = checkpoint, settings.checkpoint_every = every;
    return message_of<graft::NumericError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(20)); });
  };
  EXPECT_EQ(message("", 0).find("checkpoint"), std::string::npos);
  EXPECT_EQ(message(folder / "late", 100).find("last checkpoint"), std::string::npos);
  expect_within(message(folder / "early", 2), {"the last checkpoint is kept in " + (folder / "early")});
}

TEST(Failures, ALogThatCannotBeWrittenEndsNoTraining) {
  ScratchFolder const folder;
  std::vector<std::string> warnings;
  auto const before = graft::set_warning_handler([&](std::string const& sentence) { warnings.push_back(sentence); });
  tiny::Model<float> model, expected;
  auto settings = quick();
  (void)graft::Trainer(settings).fit(expected, tiny::counting(20));
  settings.log = folder / "log.jsonl";
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  settings.on_step = [&](graft::StepReport const& step) {
    rlimit const limit{step.step >= 3 && step.step < 6 ? 450 : unlimited.rlim_cur, unlimited.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  };
  auto const report = graft::Trainer(settings).fit(model, tiny::counting(20));
  graft::set_warning_handler(before);
  EXPECT_EQ(model.numbers(), expected.numbers());
  ASSERT_EQ(warnings.size(), 1u);
  expect_within(warnings.front(), {"log.jsonl] cannot be written; got: File too large", "the training goes on"});
  std::istringstream lines(read_all(settings.log));
  std::vector<Index> steps;
  std::string last;
  for (std::string line; std::getline(lines, line); last = line)
    steps.push_back(nlohmann::json::parse(line).at("step").get<Index>());  // whole lines alone
  EXPECT_EQ(nlohmann::json::parse(last).at("event"), "end");
  EXPECT_LT(steps.size(), report.steps.size() + 1);
}

TEST(Failures, CheckpointFoldersThatCannotBe) {
  ScratchFolder const folder;
  write_all(folder / "file", "mine");
  std::filesystem::create_symlink("loop", std::filesystem::path(folder / "loop"));
  for (std::string const name : {"file", "loop", "file/below", "loop/below"})
    for (bool resume : {false, true}) {
      tiny::Model<float> model;
      auto settings = quick();
      settings.checkpoint = folder / name.c_str(), settings.resume = resume;
      auto const before = model.numbers();
      std::string const message =
          message_of<graft::FileError>([&] { (void)graft::Trainer(settings).fit(model, tiny::counting(4)); });
      expect_within(message, {name});
      EXPECT_EQ(message.find("filesystem error"), std::string::npos) << message;
      EXPECT_EQ(model.numbers(), before);
    }
}

TEST(Failures, WhatWasRecordedBeforeIsNotTrainedOn) {
  tiny::Model<double> clean, used;
  (void)used.scores(graft::pack(tiny::counting(3)));  // recorded, never gone back through
  graft::backward(
      graft::token_loss(used.scores(graft::pack(tiny::counting(3))), graft::pack(tiny::counting(3)).rows.targets, 1.0));
  (void)graft::Trainer(quick()).fit(clean, tiny::counting(9));
  (void)graft::Trainer(quick()).fit(used, tiny::counting(9));
  EXPECT_EQ(clean.numbers(), used.numbers());
}

}  // namespace
