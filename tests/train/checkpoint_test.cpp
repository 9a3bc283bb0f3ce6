// Checkpoints that are damaged, of something else, or that do not fit on the disk.
#include <gtest/gtest.h>

#include <graft/adaptation/ia3.hpp>
#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/models/add_adapter.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/train/trainer.hpp>

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <string>
#include <vector>

#include "model/small_model.hpp"
#include "support/refusals.hpp"
#include "train/scratch_folder.hpp"
#include "train/tiny_model.hpp"

namespace {

using graft::Index;
using graft::Training;
using graft::testing::expect_within;
using graft::testing::message_of;

Training settings_of(std::string const& folder) {
  Training t;
  t.steps = 6, t.batch = 3, t.learning_rate = 1e-2, t.patience = 5, t.validate_every = 2, t.progress = false;
  t.checkpoint = folder, t.checkpoint_every = 2, t.resume = true;
  return t;
}
template <class Model>
void train(Model& model, Training const& settings) {
  (void)graft::Trainer(settings).fit(model, tiny::counting(9), tiny::counting(4));
}
TEST(Checkpoint, KeepsTwoAndGoesBackFromADamagedOne) {
  ScratchFolder const folder;
  std::filesystem::path const root = folder / "run";
  tiny::Model<float> model;
  train(model, settings_of(root));
  auto const found = graft::detail::checkpoint_folders(root);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].filename(), "step-00000006");
  EXPECT_EQ(found[1].filename(), "step-00000004");
  Index cases = 0;
  for (auto const& entry : std::filesystem::directory_iterator(found[0])) {
    std::string const whole = read_all(entry.path());
    std::vector<std::string> damaged;
    for (std::size_t cut = 0; cut < 40; ++cut) damaged.push_back(whole.substr(0, whole.size() * cut / 40));
    for (std::size_t place = 0; place < 20; ++place) {
      damaged.push_back(whole);
      damaged.back()[whole.size() * place / 20] ^= 0x20;
    }
    for (auto const& text : damaged) {
      write_all(entry.path(), text);
      std::vector<std::string> notes;
      auto const saved = graft::load_checkpoint<float>(root, &notes);
      ASSERT_TRUE(saved.has_value());
      EXPECT_EQ(saved->report.steps.size(), 4u) << entry.path();
      EXPECT_EQ(notes.size(), 1u);
      ++cases;
    }
    write_all(entry.path(), whole);
  }
  EXPECT_EQ(cases, 5 * 60);
  EXPECT_EQ(graft::load_checkpoint<float>(root)->report.steps.size(), 6u);
  // A training that goes back repeats the lost steps.
  auto const before = model.numbers();
  write_all(found[0] / "parameters.safetensors", "");
  tiny::Model<float> again;
  train(again, settings_of(root));
  EXPECT_EQ(again.numbers(), before);
  EXPECT_EQ(graft::load_checkpoint<float>(root)->report.steps.size(), 6u);
}

TEST(Checkpoint, HalfWrittenFoldersAreNotLookedAt) {
  ScratchFolder const folder;
  std::filesystem::path const root = folder / "run";
  tiny::Model<float> model;
  train(model, settings_of(root));
  std::filesystem::create_directories(root / ".graft-tmp-999999999-0");
  std::filesystem::copy(root / "step-00000006" / "parameters.safetensors", root / ".graft-tmp-999999999-0");
  std::filesystem::create_directories(root / "step-00000008");  // appeared, but nothing in it
  EXPECT_EQ(graft::load_checkpoint<float>(root)->report.steps.size(), 6u);
  for (auto const& name : {"step-00000004", "step-00000006"}) write_all(root / name / "training.json", "{}");
  expect_within(message_of<graft::FileError>([&] { (void)graft::load_checkpoint<float>(root); }),
                {"step-00000008", "no earlier checkpoint"});
  EXPECT_FALSE(graft::load_checkpoint<float>(folder / "nowhere").has_value());
}

TEST(Checkpoint, OfSomethingElseIsRefusedAndNothingChanges) {
  ScratchFolder const folder;
  auto const settings = settings_of(folder / "run");
  {
    tiny::Model<float> model;
    train(model, settings);
  }
  auto const refuses = [&](auto model, Training const& changed, std::vector<graft::TokenizedExample> const& examples,
                           std::vector<std::string> const& parts) {
    auto const before = model.numbers();
    expect_within(
        message_of<graft::ConfigError>([&] { (void)graft::Trainer(changed).fit(model, examples, tiny::counting(4)); }),
        parts);
    EXPECT_EQ(model.numbers(), before);
  };
  auto changed = settings;
  changed.learning_rate = 2e-2;
  refuses(tiny::Model<float>(), changed, tiny::counting(9),
          {"other settings or data; got learning_rate 0.01; expected 0.02"});
  changed = settings, changed.steps = 7;
  refuses(tiny::Model<float>(), changed, tiny::counting(9), {"got total steps 6; expected 7"});
  changed = settings, changed.seed = 1;
  refuses(tiny::Model<float>(), changed, tiny::counting(9), {"got seed 0; expected 1"});
  refuses(tiny::Model<float>(), settings, tiny::counting(10), {"got training examples "});
  refuses(tiny::Model<float>(1, 12), settings, tiny::counting(9),
          {"another model; got parameter table \"float32 [11, 8]\"; expected \"float32 [12, 8]\""});
  refuses(tiny::Model<double>(), settings, tiny::counting(9), {"float64"});
  refuses(tiny::Model<float>(2), settings, tiny::counting(9), {"over another base model"});
  changed = settings, changed.resume = false;
  refuses(tiny::Model<float>(), changed, tiny::counting(9), {"holds checkpoints of an earlier training"});
  changed = settings, changed.log = folder / "log.jsonl", changed.checkpoint_every = 1;  // these may change
  tiny::Model<float> model;
  EXPECT_NO_THROW(train(model, changed));
}

TEST(Checkpoint, OfATableWithOtherSettingsOfAnAdapterIsRefusedByName) {
  ScratchFolder const folder;
  auto const settings = settings_of(folder / "run");
  auto const base = small::base<graft::Gpt2, float>();
  auto const run = [&](graft::LoRA const& lora, graft::PrefixTuning const& prefix, std::uint64_t seed,
                       Training const& training) {
    auto table = graft::adapt(base, graft::AdapterTable{});
    graft::add_adapter(table, lora, seed);
    graft::add_adapter(table, graft::compose(prefix, graft::IA3{}));
    (void)graft::Trainer(training).fit(table, tiny::counting(9), tiny::counting(4));
  };
  graft::LoRA const lora{.rank = 2, .dropout = 0.1};
  graft::PrefixTuning const prefix{.length = 2, .reparametrization = graft::Mlp{.hidden = 4}};
  run(lora, prefix, 3, settings);
  auto const refuses = [&](graft::LoRA const& other, graft::PrefixTuning const& other_prefix, std::uint64_t seed,
                           std::string const& part) {
    expect_within(message_of<graft::ConfigError>([&] { run(other, other_prefix, seed, settings); }),
                  {"is a checkpoint of a training with other settings of a table's adapter; got adapter ", part,
                   "nothing was changed"});
  };
  auto changed = lora;
  changed.dropout = 0.2;
  refuses(changed, prefix, 3, "0.dropout 0.1; expected 0.2");
  changed = lora, changed.alpha = 8;
  refuses(changed, prefix, 3, "0.alpha 16.0; expected 8.0");
  refuses(lora, prefix, 4, "0.seed 3; expected 4");
  auto deeper = prefix;
  deeper.dropout = 0.5;
  refuses(lora, deeper, 3, "1.0.dropout 0.0; expected 0.5");
  EXPECT_NO_THROW(run(lora, prefix, 3, settings));
}

TEST(Checkpoint, FullDiskLosesNothing) {
  ScratchFolder const folder;
  auto settings = settings_of(folder / "run");
  tiny::Model<float> model, expected;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  auto const handler = ::signal(SIGXFSZ, SIG_IGN);
  settings.on_step = [&](graft::StepReport const& step) {
    rlimit const& limit = step.step == 3 ? rlimit{500, before.rlim_max} : before;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  };
  std::string const message = message_of<graft::FileError>([&] { train(model, settings); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  expect_within(message, {"cannot be written", "File too large"});
  EXPECT_EQ(graft::load_checkpoint<float>(settings.checkpoint)->report.steps.size(), 2u);
  settings.on_step = nullptr;
  train(model, settings);
  auto whole = settings;
  whole.checkpoint.clear(), whole.resume = false;
  train(expected, whole);
  EXPECT_EQ(model.numbers(), expected.numbers());
}

}  // namespace
