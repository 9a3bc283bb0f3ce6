// The thread pool and the addressed random numbers.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <graft/core/thread_pool.hpp>

using namespace graft;

TEST(ThreadPool, RunsEveryTaskOnceAndPassesExceptionsOn) {
  ThreadPool pool(3);
  std::vector<std::atomic<int>> seen(1000);
  pool.run(1000, [&](Index i) { ++seen[static_cast<std::size_t>(i)]; });
  for (auto const& count : seen) EXPECT_EQ(count, 1);
  EXPECT_THROW(pool.run(100, [](Index i) { if (i == 57) fail("task ", i); }), Error);
  std::atomic<int> after{0};
  pool.run(10, [&](Index) { pool.run(3, [&](Index) { ++after; }); });  // nested work runs in line
  EXPECT_EQ(after, 30);
}

TEST(ThreadPool, ResizesBetweenRuns) {
  ThreadPool pool(1);
  for (int threads : {4, 2, 1, 3}) {
    pool.resize(threads);
    EXPECT_EQ(pool.threads(), threads);
    std::atomic<Index> sum{0};
    pool.run(101, [&](Index i) { sum += i; });
    EXPECT_EQ(sum, 5050);
  }
}

TEST(RandomKey, IsAddressedAndWellSpread) {
  RandomKey const key(7);
  EXPECT_EQ(key.with("a").bits(3), RandomKey(7).with("a").bits(3));
  EXPECT_NE(key.with("a").bits(3), key.with("b").bits(3));
  EXPECT_NE(key.with(1).with(2).bits(0), key.with(2).with(1).bits(0));
  std::set<std::uint64_t> distinct;
  double mean = 0, square = 0, uniform = 0;
  std::uint64_t const n = 20000;
  for (std::uint64_t i = 0; i < n; ++i) {
    distinct.insert(key.bits(i));
    double const z = key.normal(i), u = key.uniform(i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    mean += z / static_cast<double>(n);
    square += z * z / static_cast<double>(n);
    uniform += u / static_cast<double>(n);
  }
  EXPECT_EQ(distinct.size(), n);
  EXPECT_NEAR(mean, 0.0, 0.03);
  EXPECT_NEAR(square, 1.0, 0.05);
  EXPECT_NEAR(uniform, 0.5, 0.02);
}

TEST(RandomKey, ShuffleIsAPermutation) {
  std::vector<int> items(50);
  for (int i = 0; i < 50; ++i) items[static_cast<std::size_t>(i)] = i;
  auto shuffled = items;
  shuffle(shuffled, RandomKey(1));
  EXPECT_NE(shuffled, items);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, items);
}
