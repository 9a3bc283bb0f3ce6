// Parity with Hugging Face transformers and PEFT. Cases are discovered when the program runs, under GRAFT_FIXTURES and
// among the repository's own goldens.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <gtest/gtest.h>

#include "runner.hpp"

namespace {

namespace fs = std::filesystem;

/// Folders below `root` that hold a case.json and the numbers that belong to it.
std::vector<fs::path> cases_under(fs::path const& root) {
  std::vector<fs::path> found;
  for (auto const& entry : fs::recursive_directory_iterator(root))
    if (entry.path().filename() == "case.json") found.push_back(entry.path().parent_path());
  std::sort(found.begin(), found.end());
  return found;
}

/// Runs every case in both scalars; returns how many were run.
int run_all(fs::path const& root) {
  int ran = 0, skipped = 0;
  for (auto const& folder : cases_under(root)) {
    auto const golden = parity::read_case(folder);
    bool known = false;
    for (std::string const scalar : {"float64", "float32"}) {
      auto const runner = parity::runners().find(golden.architecture + "/" + scalar);
      if (runner == parity::runners().end()) continue;
      SCOPED_TRACE(folder.string() + " in " + scalar);
      try {
        known = runner->second(golden) || known;
      } catch (std::exception const& error) {
        ADD_FAILURE() << error.what();
        known = true;
      }
    }
    (known ? ran : skipped) += 1;
    std::cout << (known ? "  ran      " : "  skipped  ") << golden.architecture << "/" << golden.method
              << (known ? "" : ": not built yet") << "\n";
  }
  std::cout << ran << " cases ran in float64 and float32, " << skipped << " skipped\n";
  return ran;
}

}  // namespace

TEST(Parity, Fixtures) {
  if (auto const why = parity::obstacle()(); !why.empty()) GTEST_SKIP() << why;
  char const* const variable = std::getenv("GRAFT_FIXTURES");
  fs::path const root = variable ? fs::path(variable) : fs::path(GRAFT_SOURCE_DIR) / ".." / "shared" / "fixtures";
  if (!variable && !fs::is_directory(root))
    GTEST_SKIP() << "no folder of fixtures: GRAFT_FIXTURES is not set and " << root << " is absent";
  ASSERT_TRUE(fs::is_directory(root)) << "GRAFT_FIXTURES names no folder: " << root;
  EXPECT_GT(run_all(root), 0) << "no case under " << root;
}

TEST(Parity, OwnGoldens) {
  if (auto const why = parity::obstacle()(); !why.empty()) GTEST_SKIP() << why;
  EXPECT_GT(run_all(fs::path(GRAFT_SOURCE_DIR) / "tests" / "parity" / "goldens"), 0);
}
