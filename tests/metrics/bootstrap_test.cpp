#include <gtest/gtest.h>
#include <graft/metrics/bootstrap.hpp>

#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace {

using graft::BootstrapOptions;
using graft::ItemStatistics;

double mean_of(std::vector<double> const& values, std::span<std::size_t const> chosen) {
  double sum = 0;
  for (std::size_t const i : chosen) sum += values[i];
  return sum / static_cast<double>(chosen.size());
}

std::vector<double> normal_values(std::size_t count, double shift = 0) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(shift + graft::RandomKey(3).with("values").normal(i));
  return values;
}

// For a mean of many values the percentile interval is the normal one: mean ± 1.96 · deviation / √n.
TEST(Bootstrap, AMeansIntervalIsTheNormalOne) {
  auto const values = normal_values(2000);
  double mean = 0, square = 0;
  for (double const v : values) mean += v / 2000, square += v * v / 2000;
  double const half = 1.959964 * std::sqrt((square - mean * mean) / 2000);
  BootstrapOptions options;
  options.resamples = 4000;
  auto const interval = graft::bootstrap_interval(
      values.size(), [&](std::span<std::size_t const> chosen) { return mean_of(values, chosen); }, options);
  EXPECT_NEAR(interval.low, mean - half, 0.1 * half);
  EXPECT_NEAR(interval.high, mean + half, 0.1 * half);
}

TEST(Bootstrap, SumsGiveWhatChosenItemsGive) {
  auto const values = normal_values(50);
  ItemStatistics statistics;
  statistics.width = 2;
  for (double const v : values) statistics.values.insert(statistics.values.end(), {v, 1.0});
  auto const by_sums = graft::bootstrap_interval(statistics, [](std::span<double const> s) { return s[0] / s[1]; });
  auto const by_items = graft::bootstrap_interval(
      values.size(), [&](std::span<std::size_t const> chosen) { return mean_of(values, chosen); });
  EXPECT_EQ(by_sums.low, by_items.low);
  EXPECT_EQ(by_sums.high, by_items.high);
  EXPECT_EQ(statistics.sums()[1], 50);
  EXPECT_EQ(statistics.item(3)[0], values[3]);
}

TEST(Bootstrap, ConfidenceWidensAndSeedsRepeat) {
  auto const values = normal_values(100);
  auto const interval = [&](double confidence, std::uint64_t seed) {
    return graft::bootstrap_interval(values.size(),
                                     [&](std::span<std::size_t const> chosen) { return mean_of(values, chosen); },
                                     {500, confidence, seed});
  };
  EXPECT_LT(interval(0.99, 0).low, interval(0.5, 0).low);
  EXPECT_GT(interval(0.99, 0).high, interval(0.5, 0).high);
  EXPECT_EQ(interval(0.9, 7).low, interval(0.9, 7).low);
  EXPECT_NE(interval(0.9, 7).low, interval(0.9, 8).low);
  auto const constant = graft::bootstrap_interval(4, [](std::span<std::size_t const>) { return 2.5; });
  EXPECT_EQ(constant.low, 2.5);
  EXPECT_EQ(constant.high, 2.5);
}

TEST(PairedBootstrap, TellsEqualSystemsFromDifferentOnes) {
  auto const first = normal_values(300);
  std::vector<double> better = first, same = first;
  for (std::size_t i = 0; i < first.size(); ++i) {
    double const noise = graft::RandomKey(9).normal(i);
    better[i] += 0.5 + noise;
    same[i] += i % 2 == 0 ? 0.3 : -0.3;
  }
  auto const score = [](std::vector<double> const& values) {
    return [&values](std::span<std::size_t const> chosen) { return mean_of(values, chosen); };
  };
  auto const clear = graft::paired_bootstrap(300, score(better), score(first));
  EXPECT_NEAR(clear.difference, 0.5, 0.2);
  EXPECT_GT(clear.interval.low, 0);
  EXPECT_LT(clear.p, 0.002);
  auto const none = graft::paired_bootstrap(300, score(same), score(first));
  EXPECT_NEAR(none.difference, 0, 1e-12);
  EXPECT_GT(none.p, 0.9);
  EXPECT_EQ(graft::paired_bootstrap(300, score(first), score(first)).p, 1.0);
  auto const statistics = [](std::vector<double> const& values) { return ItemStatistics{1, values}; };
  auto const by_sums = graft::paired_bootstrap(statistics(better), statistics(first),
                                               [](std::span<double const> s) { return s[0] / 300; });
  EXPECT_NEAR(by_sums.interval.low, clear.interval.low, 1e-12);
  EXPECT_EQ(by_sums.p, clear.p);
}

TEST(Bootstrap, RejectsWhatHasNoInterval) {
  auto const zero = [](std::span<std::size_t const>) { return 0.0; };
  EXPECT_THROW((void)graft::bootstrap_interval(0, zero), graft::ConfigError);
  EXPECT_THROW((void)graft::bootstrap_interval(1, zero, {0, 0.95, 0}), graft::ConfigError);
  EXPECT_THROW((void)graft::bootstrap_interval(1, zero, {10, 1.0, 0}), graft::ConfigError);
  EXPECT_THROW((void)graft::bootstrap_interval(1, zero, {10, 0.0, 0}), graft::ConfigError);
  EXPECT_THROW((void)graft::paired_bootstrap(0, zero, zero), graft::ConfigError);
  auto const nothing = [](std::span<std::size_t const>) { return std::numeric_limits<double>::quiet_NaN(); };
  EXPECT_THROW((void)graft::bootstrap_interval(1, nothing), graft::ConfigError);
  EXPECT_THROW((void)graft::paired_bootstrap(ItemStatistics{1, {1, 2}}, ItemStatistics{1, {1}},
                                             [](std::span<double const> s) { return s[0]; }),
               graft::ConfigError);
}

}  // namespace
