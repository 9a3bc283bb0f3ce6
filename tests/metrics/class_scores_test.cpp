#include <gtest/gtest.h>
#include <graft/metrics/class_scores.hpp>

namespace {

// Numbers from the definition, by hand: right 2, predicted 3, expected 4 of class 1.
TEST(ClassScores, F1OfAClassAndTheMeanOfAll) {
  std::vector<graft::Token> const predicted{1, 1, 1, 0, 0, 0}, expected{1, 1, 0, 1, 1, 0};
  EXPECT_DOUBLE_EQ(graft::f1_score(predicted, expected), 4.0 / 7.0);
  EXPECT_DOUBLE_EQ(graft::f1_score(predicted, expected, 0), 2.0 / 5.0);
  EXPECT_DOUBLE_EQ(graft::macro_f1(predicted, expected), (4.0 / 7.0 + 2.0 / 5.0) / 2);
  EXPECT_DOUBLE_EQ(graft::f1_score({0}, {0}), 0.0);
  EXPECT_DOUBLE_EQ(graft::macro_f1({2, 0}, {2, 1}), 1.0 / 3.0);
  EXPECT_THROW((void)graft::f1_score({1}, {1, 0}), graft::ShapeError);
  EXPECT_THROW((void)graft::macro_f1({}, {}), graft::ShapeError);
}

}  // namespace
