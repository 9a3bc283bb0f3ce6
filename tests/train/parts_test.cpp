// The small parts of the trainer: checksum, manifest, report lines, log, settings, recipes.
#include <gtest/gtest.h>

#include <graft/train/log.hpp>
#include <graft/train/manifest.hpp>
#include <graft/train/progress.hpp>
#include <graft/train/recipes.hpp>

#include <sstream>
#include <string>
#include <vector>

#include "train/scratch_folder.hpp"

namespace {

// xxhash.xxh64(bytes((7*i+3) % 256 for i in range(n))).hexdigest() of the Python package xxhash 4.1
TEST(Checksum, IsXxh64) {
  std::vector<std::pair<std::size_t, std::uint64_t>> const known{
      {0, 0xef46db3751d8e999},  {1, 0x1f25c8d0bc1f4bb6},   {3, 0x31d2363f52e564c9},   {4, 0x9bb64b7d66ee9fda},
      {8, 0xdab99d95c6f90092},  {31, 0xa2aa5f33cc4a6119},  {32, 0x23c3c17ef790fd97},  {33, 0x50a7cfc7ba588784},
      {63, 0x5e3e54b431c7493c}, {100, 0xa61f8d4c170fe531}, {1000, 0x5f235fa033f1a3fb}};
  std::vector<unsigned char> bytes;
  for (unsigned i = 0; i < 1000; ++i) bytes.push_back(static_cast<unsigned char>((7 * i + 3) % 256));
  for (auto const& [size, hash] : known) EXPECT_EQ(graft::checksum(bytes.data(), size), hash) << size << " bytes";
}

TEST(Manifest, SeesEveryChange) {
  ScratchFolder const folder;
  std::filesystem::path const root = folder / "files";
  std::filesystem::create_directories(root);
  write_all(root / "a", "alpha"), write_all(root / "b", "");
  graft::write_manifest(root);
  EXPECT_NO_THROW(graft::check_manifest(root, {"a", "b"}));
  EXPECT_THROW(graft::check_manifest(root, {"c"}), graft::FileError);
  write_all(root / "b", "x");
  EXPECT_THROW(graft::check_manifest(root, {}), graft::FileError);
  std::filesystem::remove(root / "b");
  EXPECT_THROW(graft::check_manifest(root, {}), graft::FileError);
  for (char const* bad : {"no sums", "0123456789abcdef  ../a\n", "0123456789abcdef  a"}) {
    write_all(root / graft::manifest_name, bad);
    EXPECT_THROW(graft::check_manifest(root, {}), graft::FileError);
  }
}

TEST(Progress, ParameterLineIsPefts) {
  EXPECT_EQ(graft::parameter_line(9216, 134524224),
            "trainable params: 9,216 || all params: 134,524,224 || trainable%: 0.0069");
  EXPECT_EQ(graft::parameter_line(999, 999), "trainable params: 999 || all params: 999 || trainable%: 100.0000");
  EXPECT_EQ(graft::grouped(-123456), "-123,456");
  EXPECT_EQ(graft::grouped(1000000), "1,000,000");
}

TEST(Progress, Clock) {
  EXPECT_EQ(graft::clock_time(0), "00:00");
  EXPECT_EQ(graft::clock_time(83.4), "01:23");
  EXPECT_EQ(graft::clock_time(3723), "1:02:03");
}

TEST(Progress, SaysALineWhereThereIsNoTerminal) {
  graft::StepReport report;
  report.step = 4, report.epoch = 0.5, report.loss = 2.5, report.learning_rate = 4e-5, report.tokens = 100,
  report.seconds = 0.5;
  testing::internal::CaptureStderr();
  {
    graft::Progress(true, 0, 8, 1).step(report);
  }
  std::string const said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(said.find("epoch 0.5/1  step 4/8  loss 2.5000  lr 4.00e-05  200 tokens/s  00:00 left\n"), 0u) << said;
  testing::internal::CaptureStderr();
  {
    graft::Progress(false, 0, 8, 1).step(report);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(TrainingLog, OneObjectALineAndGoesOnWhereToldTo) {
  ScratchFolder const folder;
  std::string const path = folder / "log.jsonl";
  std::uint64_t kept = 0;
  {
    graft::TrainingLog log(path);
    graft::StepReport report;
    report.step = 1, report.loss = 0.1, report.learning_rate = 1e-5;
    log.step(report, 123.5);
    kept = log.size();
    log.validation({1, 0.25, true});
  }
  EXPECT_EQ(kept, read_all(path).find('\n') + 1);
  {
    graft::TrainingLog log(path, kept);
    EXPECT_EQ(log.size(), kept);
    log.end("failed", 1, "a \"quoted\" reason\nand \xff bytes");
  }
  std::istringstream lines(read_all(path));
  std::vector<nlohmann::json> objects;
  for (std::string line; std::getline(lines, line);) objects.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0].at("event"), "step");
  EXPECT_EQ(objects[0].at("loss").get<double>(), 0.1);
  EXPECT_EQ(objects[0].at("tokens_per_second").get<double>(), 123.5);
  EXPECT_EQ(objects[1].at("event"), "failed");
  EXPECT_THROW(graft::TrainingLog(folder / "absent/log.jsonl"), graft::FileError);
}

TEST(Training, SettingsOutOfRangeAreNamed) {
  auto const message = [](auto const& change) -> std::string {
    graft::Training settings;
    change(settings);
    try {
      graft::check_settings(settings);
    } catch (graft::ConfigError const& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message([](auto&) {}), "");
  EXPECT_EQ(message([](auto& t) { t.batch = 0; }), "[Training] got batch = 0; expected 1 or more");
  EXPECT_NE(message([](auto& t) { t.learning_rate = -1; }), "");
  EXPECT_NE(message([](auto& t) { t.learning_rate = std::nan(""); }), "");
  EXPECT_NE(message([](auto& t) { t.warmup_ratio = 1.5; }), "");
  EXPECT_NE(message([](auto& t) { t.resume = true; }), "");
  EXPECT_NE(message([](auto& t) { t.epochs = 0; }), "");
  EXPECT_EQ(message([](auto& t) { t.epochs = 0, t.steps = 3; }), "");
}

TEST(Recipes, ThePapersNumbers) {
  auto const e2e = graft::recipe("e2e");
  EXPECT_EQ(e2e.training.learning_rate, 8e-5);
  EXPECT_EQ(e2e.training.epochs, 5);
  EXPECT_EQ(e2e.training.batch, 10);
  EXPECT_EQ(e2e.prefix_length, 5);
  auto const standard = graft::recipe("default");
  EXPECT_EQ(standard.training.epochs, 10);
  EXPECT_EQ(standard.training.batch, 5);
  EXPECT_EQ(standard.training.learning_rate, 5e-5);
  EXPECT_EQ(standard.training.clip, 1.0);
  EXPECT_EQ(standard.training.weight_decay, 0.01);
  EXPECT_EQ(standard.training.schedule, graft::Schedule::linear);
  EXPECT_EQ(standard.prefix_length, 10);
  auto const lester = graft::recipe("lester");
  EXPECT_EQ(lester.training.optimizer, graft::OptimizerKind::adafactor);
  EXPECT_EQ(lester.training.adafactor.decay, 0.8);
  EXPECT_FALSE(lester.training.adafactor.scale_parameter);
  EXPECT_EQ(lester.training.schedule, graft::Schedule::constant);
  EXPECT_EQ(lester.training.learning_rate, 0.3);
  EXPECT_EQ(lester.training.steps, 30000);
  EXPECT_EQ(lester.prefix_length, 100);
  EXPECT_THROW((void)graft::recipe("glue"), graft::ConfigError);
}

}  // namespace
