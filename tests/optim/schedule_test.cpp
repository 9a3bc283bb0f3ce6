// Factors against transformers 5.23: get_{constant,linear,cosine}_schedule_with_warmup(SGD(lr=1), warmup[, 10]),
// get_last_lr() of steps 0 to 10.
#include <gtest/gtest.h>

#include <graft/optim/schedule.hpp>
#include <vector>

namespace {

using graft::Index;
using graft::Schedule;

void expect_factors(Schedule schedule, Index warmup, std::vector<double> const& expected) {
  for (std::size_t k = 0; k < expected.size(); ++k)
    EXPECT_NEAR(graft::schedule_factor(schedule, static_cast<Index>(k), warmup, 10), expected[k], 1e-14)
        << graft::schedule_name(schedule) << " step " << k;
}

TEST(Schedule, FollowsTransformers) {
  double const third = 0.3333333333333333, thirds = 0.6666666666666666;
  expect_factors(Schedule::constant, 0, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  expect_factors(Schedule::constant, 3, {0, third, thirds, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  expect_factors(Schedule::linear, 0, {1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0, 0});
  expect_factors(Schedule::linear, 3,
                 {0, third, thirds, 1, 0.8571428571428571, 0.7142857142857143, 0.5714285714285714, 0.42857142857142855,
                  0.2857142857142857, 0.14285714285714285, 0, 0});
  expect_factors(Schedule::cosine, 0,
                 {1, 0.9755282581475768, 0.9045084971874737, 0.7938926261462366, 0.6545084971874737, 0.5,
                  0.34549150281252633, 0.2061073738537635, 0.09549150281252633, 0.024471741852423234, 0});
  expect_factors(Schedule::cosine, 3,
                 {0, third, thirds, 1, 0.9504844339512095, 0.8117449009293668, 0.6112604669781572, 0.38873953302184283,
                  0.18825509907063326, 0.04951556604879048, 0});
}

TEST(Schedule, WarmUpAsLongAsTheTraining) {
  EXPECT_DOUBLE_EQ(graft::schedule_factor(Schedule::linear, 3, 4, 4), 0.75);
  EXPECT_EQ(graft::schedule_factor(Schedule::linear, 4, 4, 4), 0.0);
}

TEST(Schedule, NamesGoBothWays) {
  for (Schedule schedule : {Schedule::constant, Schedule::linear, Schedule::cosine})
    EXPECT_EQ(graft::schedule_named(graft::schedule_name(schedule)), schedule);
  EXPECT_THROW((void)graft::schedule_named("exponential"), graft::ConfigError);
}

}  // namespace
