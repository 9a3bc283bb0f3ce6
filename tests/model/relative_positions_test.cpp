// T5's buckets of relative positions, recorded from transformers 5's T5Attention._relative_position_bucket for
// distances of -300 to 300: each pair is the distance from which on a bucket holds, and the bucket. Distances are far
// beyond what the fixtures' short rows reach.
#include <gtest/gtest.h>

#include <vector>

#include <graft/models/pass.hpp>

using namespace graft;

namespace {

struct Run {
  Index from;
  int bucket;
};

void expect_buckets(bool causal, Index buckets, Index max_distance, std::vector<Run> const& runs) {
  RelativePositions relative;
  relative.buckets = buckets, relative.max_distance = max_distance;
  std::size_t run = 0;
  for (Index distance = -300; distance <= 300; ++distance) {
    while (run + 1 < runs.size() && runs[run + 1].from <= distance) ++run;
    ASSERT_EQ(relative_bucket(distance, causal, relative), runs[run].bucket) << "distance " << distance;
  }
}

}  // namespace

TEST(RelativePositions, BucketsOfAnEncoder) {
  expect_buckets(false, 32, 128, {{-300, 15}, {-90, 14}, {-63, 13}, {-45, 12}, {-31, 11}, {-22, 10}, {-15, 9}, {-11, 8},
                                  {-7, 7},    {-6, 6},   {-5, 5},   {-4, 4},   {-3, 3},   {-2, 2},   {-1, 1},  {0, 0},
                                  {1, 17},    {2, 18},   {3, 19},   {4, 20},   {5, 21},   {6, 22},   {7, 23},  {8, 24},
                                  {12, 25},   {16, 26},  {23, 27},  {32, 28},  {46, 29},  {64, 30},  {91, 31}});
  expect_buckets(false, 8, 20, {{-300, 3}, {-6, 2}, {-1, 1}, {0, 0}, {1, 5}, {2, 6}, {7, 7}});
}

TEST(RelativePositions, BucketsOfADecoder) {
  expect_buckets(true, 32, 128,
                 {{-300, 31}, {-112, 30}, {-98, 29}, {-86, 28}, {-76, 27}, {-66, 26}, {-58, 25}, {-51, 24},
                  {-45, 23},  {-39, 22},  {-34, 21}, {-30, 20}, {-26, 19}, {-23, 18}, {-20, 17}, {-18, 16},
                  {-15, 15},  {-14, 14},  {-13, 13}, {-12, 12}, {-11, 11}, {-10, 10}, {-9, 9},   {-8, 8},
                  {-7, 7},    {-6, 6},    {-5, 5},   {-4, 4},   {-3, 3},   {-2, 2},   {-1, 1},   {0, 0}});
  expect_buckets(true, 16, 40,
                 {{-300, 15},
                  {-32, 14},
                  {-26, 13},
                  {-21, 12},
                  {-17, 11},
                  {-14, 10},
                  {-11, 9},
                  {-9, 8},
                  {-7, 7},
                  {-6, 6},
                  {-5, 5},
                  {-4, 4},
                  {-3, 3},
                  {-2, 2},
                  {-1, 1},
                  {0, 0}});
}
