// A training that was stopped, however it was, goes on to the same bits as one that was not.
#include <gtest/gtest.h>

#include <graft/core/thread_pool.hpp>
#include <graft/train/trainer.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "train/scratch_folder.hpp"
#include "train/tiny_model.hpp"

namespace {

using graft::Index;
using graft::Training;
using graft::TrainingReport;

struct Stop {};

/// 7 steps an epoch, 28 in all; dropout is on; passes are accumulated.
Training settings_of(std::string const& folder) {
  Training t;
  t.epochs = 4, t.batch = 2, t.accumulate = 2, t.learning_rate = 2e-2, t.warmup_ratio = 0.1, t.validate_every = 5,
  t.patience = 3, t.progress = false;
  t.checkpoint = folder, t.resume = !folder.empty();
  return t;
}
TrainingReport train(tiny::Model<float>& model, Training const& settings) {
  return graft::Trainer(settings).fit(model, tiny::counting(27), tiny::counting(8));
}

void expect_equal(TrainingReport const& a, TrainingReport const& b) {
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) {
    EXPECT_EQ(a.steps[i].loss, b.steps[i].loss) << "step " << i + 1;
    EXPECT_EQ(a.steps[i].gradient_norm, b.steps[i].gradient_norm);
    EXPECT_EQ(a.steps[i].learning_rate, b.steps[i].learning_rate);
  }
  ASSERT_EQ(a.validations.size(), b.validations.size());
  for (std::size_t i = 0; i < a.validations.size(); ++i) {
    EXPECT_EQ(a.validations[i].step, b.validations[i].step);
    EXPECT_EQ(a.validations[i].loss, b.validations[i].loss);
    EXPECT_EQ(a.validations[i].best, b.validations[i].best);
  }
  EXPECT_EQ(a.best_validation_loss, b.best_validation_loss);
  EXPECT_EQ(a.best_step, b.best_step);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.stopped_early, b.stopped_early);
}

/// The log without what depends on the clock.
std::vector<std::string> log_lines(std::string const& path) {
  std::istringstream lines(read_all(path));
  std::vector<std::string> result;
  for (std::string line; std::getline(lines, line);) {
    auto object = nlohmann::json::parse(line);
    object.erase("seconds"), object.erase("tokens_per_second");
    if (object.at("event") != "failed") result.push_back(object.dump());
  }
  return result;
}

TEST(Resume, IsBitwiseFromEveryStep) {
  ScratchFolder const folder;
  tiny::Model<float> whole;
  auto settings = settings_of("");
  settings.log = folder / "whole.jsonl";
  auto const expected = train(whole, settings);
  ASSERT_EQ(expected.steps.size(), 28u);
  for (Index stop : {1, 2, 3, 6, 7, 8, 13, 14, 20, 25, 27, 28})
    for (Index every : {0, 1, 3}) {
      auto interrupted = settings_of(folder / graft::cat("stop-", stop, "-", every).c_str());
      interrupted.checkpoint_every = every;
      interrupted.log = folder / "parts.jsonl";
      interrupted.on_step = [&](graft::StepReport const& step) {
        if (step.step == stop) throw Stop{};
      };
      tiny::Model<float> first, second;
      EXPECT_THROW((void)train(first, interrupted), Stop);
      interrupted.on_step = nullptr;
      auto const report = train(second, interrupted);
      SCOPED_TRACE(graft::cat("stopped after step ", stop, ", a checkpoint every ", every));
      expect_equal(report, expected);
      EXPECT_EQ(second.numbers(), whole.numbers());
      EXPECT_EQ(log_lines(folder / "parts.jsonl"), log_lines(folder / "whole.jsonl"));
    }
}

TEST(Resume, IsBitwiseWithAdafactor) {
  ScratchFolder const folder;
  for (bool const own_rate : {false, true}) {
    auto const with_adafactor = [&](Training t) {
      t.optimizer = graft::OptimizerKind::adafactor, t.learning_rate = 5e-2, t.schedule = graft::Schedule::constant,
      t.warmup_ratio = 0, t.weight_decay = 1e-5, t.clip = 0;
      if (own_rate) t.adafactor = {.beta1 = 0.5, .scale_parameter = true, .relative_step = true};
      return t;
    };
    tiny::Model<float> whole;
    auto const expected = train(whole, with_adafactor(settings_of("")));
    EXPECT_LT(expected.steps.back().loss, expected.steps.front().loss);
    for (Index stop : {1, 2, 9, 14, 27}) {
      auto interrupted = with_adafactor(settings_of(folder / graft::cat("adafactor-", own_rate, "-", stop).c_str()));
      interrupted.checkpoint_every = 1;
      interrupted.on_step = [&](graft::StepReport const& step) {
        if (step.step == stop) throw Stop{};
      };
      tiny::Model<float> first, second;
      EXPECT_THROW((void)train(first, interrupted), Stop);
      interrupted.on_step = nullptr;
      SCOPED_TRACE(graft::cat("stopped after step ", stop));
      expect_equal(train(second, interrupted), expected);
      EXPECT_EQ(second.numbers(), whole.numbers());
    }
  }
  auto other = settings_of(folder / "adafactor-0-1");  // a training by another rule is another training
  tiny::Model<float> model;
  EXPECT_THROW((void)train(model, other), graft::ConfigError);
}

TEST(Resume, AfterARequestToStop) {
  ScratchFolder const folder;
  tiny::Model<float> whole;
  auto settings = settings_of("");
  settings.log = folder / "whole.jsonl";
  auto const expected = train(whole, settings);
  for (Index stop : {1, 5, 13, 27}) {
    auto interrupted = settings_of(folder / graft::cat("stop-", stop).c_str());
    interrupted.log = folder / "parts.jsonl";
    Index asked = 0;
    interrupted.stop = [&] { return ++asked == stop ? 15 : 0; };
    tiny::Model<float> first, second;
    auto const part = train(first, interrupted);
    EXPECT_EQ(part.interrupted, 15);
    EXPECT_EQ(static_cast<Index>(part.steps.size()), stop);
    EXPECT_NE(read_all(interrupted.log)
                  .find(graft::cat("{\"event\":\"interrupted\",\"step\":", stop, ",\"message\":\"asked to stop (15)")),
              std::string::npos);
    interrupted.stop = nullptr;
    auto const report = train(second, interrupted);
    EXPECT_EQ(report.interrupted, 0);
    expect_equal(report, expected);
    EXPECT_EQ(second.numbers(), whole.numbers());
    EXPECT_EQ(log_lines(folder / "parts.jsonl"), log_lines(folder / "whole.jsonl"));
  }
}

TEST(Resume, IsLockedAgainstASecondTraining) {
  ScratchFolder const folder;
  auto settings = settings_of(folder / "run");
  settings.log = folder / "log.jsonl";
  tiny::Model<float> model, second;
  std::vector<std::string> messages;
  settings.on_step = [&](graft::StepReport const& step) {
    if (step.step != 3) return;
    for (bool same_folder : {true, false}) {
      auto other = settings;
      other.on_step = nullptr;
      if (!same_folder) other.checkpoint.clear(), other.resume = false;
      try {
        (void)train(second, other);
      } catch (graft::FileError const& error) {
        messages.push_back(error.what());
      }
    }
  };
  (void)train(model, settings);
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_NE(messages[0].find("run] is being written by another process"), std::string::npos) << messages[0];
  EXPECT_NE(messages[1].find("log.jsonl] is being written by another training"), std::string::npos) << messages[1];
  settings.on_step = nullptr;
  (void)train(second, settings);  // now it may
}

TEST(Resume, OfAFinishedOrStoppedTrainingChangesNothing) {
  ScratchFolder const folder;
  for (bool stops : {false, true}) {
    auto settings = settings_of(folder / (stops ? "stopped" : "finished"));
    auto const fit = [&](tiny::Model<float>& model) {
      return graft::Trainer(settings).fit(model, tiny::counting(27), tiny::counting(8, 11, stops ? 2 : 1));
    };
    if (stops) settings.validate_every = 1, settings.patience = 1;
    tiny::Model<float> first, second;
    auto const once = fit(first), again = fit(second);
    EXPECT_EQ(once.stopped_early, stops);
    expect_equal(once, again);
    EXPECT_EQ(first.numbers(), second.numbers());
  }
}

/// The program is killed 200 times, at arbitrary moments, while it writes checkpoints most of its time; each time the
/// newest checkpoint is whole.
TEST(Resume, SurvivesBeingKilled) {
  ScratchFolder const folder;
  tiny::Model<float> whole;
  auto settings = settings_of("");
  settings.epochs = 20, settings.patience = 0;
  auto const expected = train(whole, settings);
  settings.checkpoint = folder / "run", settings.resume = true, settings.checkpoint_every = 1;
  graft::ThreadPool::global().resize(1);  // a forked child has no other threads
  std::size_t reached = 0, furthest = 0, kills = 0;
  std::uint64_t patience = 15000;  // microseconds that a child lives at most; more where checkpoints take longer
  for (std::uint64_t attempt = 0; kills < 200; ++attempt) {
    ASSERT_LT(attempt, 2000u);
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      tiny::Model<float> model;
      try {
        (void)train(model, settings);
      } catch (...) {
        ::_exit(3);
      }
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(500 + graft::RandomKey(4).below(attempt, patience)));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "the child failed by itself";
    kills += WIFSIGNALED(status);
    std::vector<std::string> notes;
    auto const saved = graft::load_checkpoint<float>(settings.checkpoint, &notes);
    EXPECT_TRUE(notes.empty()) << notes.front();
    std::size_t const now = saved ? saved->report.steps.size() : 0;
    ASSERT_GE(now, reached);
    furthest = std::max(furthest, now);
    patience = now > reached ? std::max<std::uint64_t>(15000, patience / 2)
                             : std::min<std::uint64_t>(1000000, patience * 5 / 4);
    bool const restart = !WIFSIGNALED(status) && kills < 200;  // it came to its end: once more from the start
    if (restart) std::filesystem::remove_all(settings.checkpoint);
    reached = restart ? 0 : now;
  }
  EXPECT_GT(furthest, 20u);
  tiny::Model<float> resumed;
  auto const report = train(resumed, settings);
  graft::ThreadPool::global().resize(2);
  expect_equal(report, expected);
  EXPECT_EQ(resumed.numbers(), whole.numbers());
  std::size_t entries = 0;
  for (auto const& entry : std::filesystem::directory_iterator(settings.checkpoint)) {
    EXPECT_EQ(entry.path().filename().string().rfind("step-", 0), 0u) << entry.path();
    ++entries;
  }
  EXPECT_EQ(entries, 2u);
}

}  // namespace
