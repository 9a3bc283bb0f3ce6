#include "cached_decoding.hpp"

TEST(CachedDecoding, LlamaWithEveryAdaptation) {
  graft::testing::expect_all_adaptations_decode_correctly<graft::Llama>();
}
