// The main of every test program: counts passed, failed and skipped tests, repeats why each was skipped, and exits with
// 77 (ctest's "skipped") where nothing but skipped tests ran. tests/summary.py reads the lines that start with [graft].
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr int all_skipped = 77;

class Summary : public testing::EmptyTestEventListener {
 public:
  void OnTestEnd(testing::TestInfo const& test) override {
    auto const& result = *test.result();
    if (!result.Skipped()) {
      ++(result.Passed() ? passed_ : failed_);
      return;
    }
    std::string why = "no reason given";
    for (int i = 0; i < result.total_part_count(); ++i)
      if (result.GetTestPartResult(i).skipped()) why = one_line(result.GetTestPartResult(i).message());
    skipped_.push_back(std::string(test.test_suite_name()) + "." + test.name() + ": " + why);
  }

  void OnTestProgramEnd(testing::UnitTest const&) override {
    for (auto const& line : skipped_) std::cout << "[graft] skipped " << line << '\n';
    std::cout << "[graft] " << passed_ << " passed, " << failed_ << " failed, " << skipped_.size() << " skipped"
              << std::endl;
  }

  [[nodiscard]] bool only_skipped() const { return passed_ == 0 && failed_ == 0 && !skipped_.empty(); }
  [[nodiscard]] bool empty() const { return passed_ == 0 && failed_ == 0 && skipped_.empty(); }

 private:
  static std::string one_line(std::string text) {
    for (char& c : text)
      if (c == '\n') c = ' ';
    auto const end = text.find_last_not_of(' ');
    return text.substr(0, end == std::string::npos ? 0 : end + 1);
  }

  int passed_ = 0;
  int failed_ = 0;
  std::vector<std::string> skipped_;
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto* summary = new Summary;  // owned by GoogleTest
  testing::UnitTest::GetInstance()->listeners().Append(summary);
  int const status = RUN_ALL_TESTS();
  if (status != 0 || GTEST_FLAG_GET(list_tests)) return status;
  if (summary->only_skipped()) return all_skipped;
  if (summary->empty()) {
    std::cerr << "[graft] no test ran: the program has none, or the filter matches none\n";
    return 1;
  }
  return 0;
}
