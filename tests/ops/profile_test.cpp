// What kernels take, added up while somebody wants to know.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include <graft/kernels/roofline.hpp>
#include <graft/ops/linear.hpp>

namespace {

using namespace graft;

KernelTime const* find(std::vector<KernelTime> const& times, std::string const& name) {
  for (auto const& time : times)
    if (time.name == name) return &time;
  return nullptr;
}

class Profile : public ::testing::Test {
 protected:
  void SetUp() override { clear_profile(); }
  void TearDown() override { profile(false); }
  static void multiply(Index m, Index n, Index k) {
    FrozenMatrix<float> const w(full({n, k}, 1.F));
    (void)linear(Variable<float>(full({m, k}, 1.F)), w);
  }
};

TEST_F(Profile, IsEmptyUntilItIsAskedFor) {
  multiply(20, 30, 40);
  EXPECT_TRUE(profiled().empty());
  EXPECT_FALSE(is_profiled());
  profile();
  multiply(20, 30, 40);
  profile(false);
  multiply(20, 30, 40);
  ASSERT_EQ(profiled().size(), 1U);
  auto const time = profiled()[0];
  EXPECT_EQ(time.name, "product");
  EXPECT_EQ(time.calls, 1);
  EXPECT_EQ(time.operations, 2.0 * 20 * 30 * 40);
  EXPECT_EQ(time.bytes, 4.0 * (20 * 40 + 30 * 40 + 20 * 30));
  EXPECT_GT(time.seconds, 0);
  clear_profile();
  EXPECT_TRUE(profiled().empty());
}

TEST_F(Profile, AddsUpWhatAllThreadsDo) {
  profile();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([] {
      for (int i = 0; i < 10; ++i) multiply(3, 5, 7);
    });
  for (auto& thread : threads) thread.join();
  auto const times = profiled();
  ASSERT_NE(find(times, "product"), nullptr);
  EXPECT_EQ(find(times, "product")->calls, 40);
  EXPECT_EQ(find(times, "product")->operations, 40 * 2.0 * 3 * 5 * 7);
}

/// A kernel's own time is without that of those it calls.
TEST_F(Profile, CountsNoTimeTwice) {
  profile();
  auto const start = std::chrono::steady_clock::now();
  {
    KernelTimer const outer("outer");
    for (int i = 0; i < 3; ++i) {
      KernelTimer const inner("inner", [] { return std::pair(5.0, 7.0); });
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  double const all = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto const times = profiled();
  auto const *outer = find(times, "outer"), *inner = find(times, "inner");
  ASSERT_TRUE(outer && inner);
  EXPECT_EQ(inner->calls, 3);
  EXPECT_EQ(inner->operations, 15);
  EXPECT_EQ(inner->bytes, 21);
  EXPECT_GE(inner->seconds, 0.03);
  EXPECT_LE(outer->seconds + inner->seconds, all);
  EXPECT_GE(outer->seconds, 0);
  EXPECT_EQ(times.front().name, inner->seconds > outer->seconds ? "inner" : "outer");
}

TEST_F(Profile, TheTableComparesWithTheLimits) {
  Roofline const limits{100e9, 10e9};
  EXPECT_EQ(limits.least(50e9, 1e9), 0.5);
  EXPECT_EQ(limits.least(1e9, 5e9), 0.5);
  std::string const table =
      profile_table({{"product", 3, 1.0, 50e9, 1e9}, {"copy", 2, 0.5, 0, 5e9}, {"unknown", 1, 0.5, 0, 0}}, limits);
  for (char const* const line :
       {"kernels took 2.000 s; this machine's limits, measured now: 100 GFLOP/s of products, 10.0 GB/s of memory",
        "product                                3      1.000  50.0 %      50.0      1.0      50 %\n",
        "copy                                   2      0.500  25.0 %         -     10.0     100 %\n",
        "unknown                                1      0.500  25.0 %         -        -         -\n"})
    EXPECT_NE(table.find(line), std::string::npos) << table;
}

TEST_F(Profile, TheLimitsAreThoseOfThisMachine) {
  profile();
  Roofline const limits = measure_roofline();
  EXPECT_TRUE(is_profiled());
  EXPECT_TRUE(profiled().empty());
  EXPECT_GT(limits.operations_per_second, 1e8);
  EXPECT_LT(limits.operations_per_second, 1e15);
  EXPECT_GT(limits.bytes_per_second, 1e8);
  EXPECT_LT(limits.bytes_per_second, 1e14);
}

}  // namespace
