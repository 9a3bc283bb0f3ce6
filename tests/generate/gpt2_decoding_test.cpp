#include "cached_decoding.hpp"

TEST(CachedDecoding, Gpt2WithEveryAdaptation) {
  graft::testing::expect_all_adaptations_decode_correctly<graft::Gpt2>();
}
