// The thread pool, warnings, sizes and the addressed random numbers.
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <set>
#include <thread>
#include <vector>

#include <graft/core/environment.hpp>
#include <graft/core/error.hpp>
#include <graft/core/memory_limit.hpp>
#include <graft/core/numbers.hpp>
#include <graft/core/random.hpp>
#include <graft/core/shape.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/core/warning.hpp>
#include <graft/tensor/tensor.hpp>

#if defined(__SANITIZE_THREAD__)
#define GRAFT_FORKS 0  // the sanitizer ends a forked child that starts threads
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GRAFT_FORKS 0
#endif
#endif
#ifndef GRAFT_FORKS
#define GRAFT_FORKS 1
#endif
#if GRAFT_FORKS && !defined(__SANITIZE_ADDRESS__)
#define GRAFT_LIMITS_MEMORY 1  // a sanitizer's own memory is beyond any limit
#else
#define GRAFT_LIMITS_MEMORY 0
#endif

using namespace graft;

TEST(ThreadPool, RunsEveryTaskOnceAndPassesExceptionsOn) {
  ThreadPool pool(3);
  std::vector<std::atomic<int>> seen(1000);
  pool.run(1000, [&](Index i) { ++seen[static_cast<std::size_t>(i)]; });
  for (auto const& count : seen) EXPECT_EQ(count, 1);
  EXPECT_THROW(pool.run(100,
                        [](Index i) {
                          if (i == 57) fail("task ", i);
                        }),
               Error);
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

namespace {

/// The warnings that come up while it lives.
class Caught {
 public:
  Caught() : before_(set_warning_handler([this](std::string const& sentence) { all.push_back(sentence); })) {}
  ~Caught() { set_warning_handler(before_); }
  std::vector<std::string> all;

 private:
  WarningHandler before_;
};

[[maybe_unused]] Index sum_on(ThreadPool& pool) {
  std::atomic<Index> sum{0};
  pool.run(101, [&](Index i) { sum += i; });
  return sum;
}

/// The exit status of a child that runs `body`; it is killed after 20 seconds.
template <class Body>
[[maybe_unused]] int in_child(Body const& body) {
  pid_t const child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(body());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

}  // namespace

TEST(ThreadPool, RefusesImpossibleNumbers) {
  for (int threads : {0, -1, 1025}) {
    EXPECT_THROW(ThreadPool pool(threads), ConfigError);
    EXPECT_THROW(ThreadPool(1).resize(threads), ConfigError);
  }
}

TEST(ThreadPool, CallersFromSeveralThreadsWaitForEachOther) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) right += sum_on(pool) == 5050;
    });
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(right, 200);
}

#if GRAFT_FORKS
TEST(ThreadPool, AForkedChildHasWorkersOfItsOwn) {
  ThreadPool pool(3);
  ASSERT_EQ(sum_on(pool), 5050);
  ASSERT_EQ(sum_on(ThreadPool::global()), 5050);
  std::thread busy([&] {  // forks while the pool is in use, too
    for (int i = 0; i < 200; ++i) sum_on(pool);
  });
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(in_child([&] {
                bool const good = sum_on(pool) == 5050 && pool.threads() == 3 && sum_on(ThreadPool::global()) == 5050 &&
                                  zeros<float>(Shape{1000}).size() == 1000;
                return good ? 0 : 1;
              }),
              0);
  busy.join();
  EXPECT_EQ(sum_on(pool), 5050);
}
#endif

#if GRAFT_LIMITS_MEMORY
TEST(ThreadPool, WorksWithFewerThreadsWhereTheSystemRefusesSome) {
  EXPECT_EQ(in_child([] {
              std::vector<std::string> said;
              set_warning_handler([&](std::string const& sentence) { said.push_back(sentence); });
              rlimit const bytes{rlim_t{1} << 30, rlim_t{1} << 30};
              ::setrlimit(RLIMIT_AS, &bytes);
              ThreadPool pool(1000);
              if (sum_on(pool) != 5050) return 1;
              if (pool.threads() < 1 || pool.threads() >= 1000) return 2;
              return said.size() == 1 && said[0].find("expected 1000") != std::string::npos ? 0 : 3;
            }),
            0);
}
#endif

TEST(Environment, SaysWhatItDoesNotUnderstand) {
  Caught caught;
  ::setenv("GRAFT_TEST_NUMBER", "7", 1);
  EXPECT_EQ(detail::environment_number("GRAFT_TEST_NUMBER", 1, 9, "using 2"), 7);
  EXPECT_TRUE(caught.all.empty());
  for (char const* text : {"", "0", "10", "-1", "abc", "1e9", "7 ", "+7", "7.0", "99999999999999999999", "a\x1b[31m"}) {
    ::setenv("GRAFT_TEST_NUMBER", text, 1);
    std::size_t const before = caught.all.size();
    EXPECT_EQ(detail::environment_number("GRAFT_TEST_NUMBER", 1, 9, "using 2"), std::nullopt) << text;
    ASSERT_EQ(caught.all.size(), before + 1) << text;
    EXPECT_NE(caught.all.back().find("[GRAFT_TEST_NUMBER]"), std::string::npos);
    EXPECT_NE(caught.all.back().find("expected a number from 1 to 9; using 2"), std::string::npos);
    EXPECT_EQ(caught.all.back().find('\x1b'), std::string::npos);
  }
  ::unsetenv("GRAFT_TEST_NUMBER");
  EXPECT_EQ(detail::environment_number("GRAFT_TEST_NUMBER", 1, 9, "using 2"), std::nullopt);
}

TEST(Warning, IsSaidOnce) {
  Caught caught;
  for (int i = 0; i < 3; ++i) warn("[test] got ", 3, " things");
  warn("[test] got ", 4, " things");
  EXPECT_EQ(caught.all, (std::vector<std::string>{"[test] got 3 things", "[test] got 4 things"}));
}

TEST(Warning, AHandlerTakesThePlaceOfStandardErrorAndIsGivenBack) {
  std::vector<std::string> first, second;
  auto const before = set_warning_handler([&](std::string const& sentence) { first.push_back(sentence); });
  warn("one");
  auto const mine = set_warning_handler([&](std::string const& sentence) { second.push_back(sentence); });
  warn("one");  // what was said before is forgotten with the handler
  warn("two");
  mine("three");
  EXPECT_EQ(first, (std::vector<std::string>{"one", "three"}));
  EXPECT_EQ(second, (std::vector<std::string>{"one", "two"}));
  set_warning_handler({});
  warn("nobody hears this");
  testing::internal::CaptureStderr();
  set_warning_handler(before);
  warn("[test] on standard error");
  warn("[test] on standard error");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warning: [test] on standard error\n");
}

TEST(Warning, MayComeFromSeveralThreads) {
  Caught caught;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int k = 0; k < 100; ++k) warn("number ", k);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(caught.all.size(), 100u);
}

TEST(Shape, RefusesMoreElementsThanAnyMemoryHolds) {
  Index const large = Index{1} << 40;
  EXPECT_THROW((Shape{large, large}), ShapeError);
  EXPECT_THROW((Shape{std::numeric_limits<Index>::max()}), ShapeError);
  EXPECT_THROW((Shape{0, large, large}), ShapeError);  // a row's width is a product, too
  EXPECT_EQ((Shape{large, 1000}).size(), large * 1000);
}

TEST(Memory, BeyondTheMachinesIsRefusedWithTheNumber) {
  ASSERT_LT(machine_memory(), std::size_t{1} << 50) << "this system does not say how much memory there is";
  auto const count = static_cast<Index>(machine_memory() / sizeof(float)) + 1000;
  try {
    Tensor<float> const tensor(Shape{count});
    FAIL() << "a tensor beyond the machine's memory";
  } catch (Error const& error) {
    EXPECT_NE(std::string(error.what())
                  .find("out of memory; got a request for " + gibibytes(4.0 * static_cast<double>(count))),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(require_memory("[test] length 5", 1e30), ConfigError);
  require_memory("[test] length 5", 1e3);
}

TEST(Numbers, OfSettingsAreCountsSharesAndWhatAFloatHolds) {
  auto const refused = [](auto const& check) {
    try {
      check();
    } catch (ConfigError const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused([] { check_count("op", "n", most_of_anything); }), "");
  EXPECT_EQ(refused([] { check_count("op", "n", most_of_anything + 1); }),
            "[op] got n 2147483648; expected at most 2147483647");
  EXPECT_EQ(refused([] { check_finite("op", "x", -3.4e38); }), "");
  EXPECT_EQ(refused([] { check_finite("op", "x", 3.5e38); }), "[op] got x 3.5e+38; expected a finite number");
  EXPECT_EQ(refused([] { check_finite("op", "x", std::numeric_limits<double>::quiet_NaN()); }),
            "[op] got x nan; expected a finite number");
  EXPECT_EQ(refused([] { check_share("op", "p", 0), check_share("op", "p", 1); }), "");
  EXPECT_EQ(refused([] { check_share("op", "p", std::numeric_limits<double>::quiet_NaN()); }),
            "[op] got p nan; expected 0 to 1");
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
