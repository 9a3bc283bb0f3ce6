// How much memory of the device tensors hold, and which of it is used again.
#include <graft/kernels/cuda/block_cache.cuh>

#include "device_testing.hpp"

namespace {

using namespace graft;

class CudaMemory : public graft::testing::DeviceTest {};

TEST_F(CudaMemory, IsCountedWithItsPeak) {
  constexpr Index megabyte = Index{1} << 20;
  synchronize(Cuda{});
  reset_cuda_peak();
  auto const before = cuda_memory_use();
  EXPECT_EQ(before.peak, before.used);
  {
    Tensor<float, Cuda> const kept(Shape{megabyte});
    EXPECT_GE(cuda_memory_use().used, before.used + 4 * megabyte);
  }
  synchronize(Cuda{});
  auto const after = cuda_memory_use();
  EXPECT_LT(after.used, before.used + 4 * megabyte);
  EXPECT_GE(after.peak, before.used + 4 * megabyte);
  EXPECT_GE(after.reserved, after.used);
  reset_cuda_peak();
  EXPECT_LT(cuda_memory_use().peak, before.used + 4 * megabyte);
}

using kernels::cuda::BlockCache;

TEST(BlockCache, HandsOutWhatWasGivenBackToRequestsOfTheSize) {
  BlockCache cache(true);
  int block = 0;
  std::size_t const size = cache.rounded(1000);
  EXPECT_GE(size, 1000U);
  EXPECT_EQ(cache.rounded(size), size);
  EXPECT_EQ(cache.take(size), nullptr);
  cache.add(&block, size);
  EXPECT_EQ(cache.use().used, size);
  EXPECT_TRUE(cache.give_back(&block));
  EXPECT_EQ(cache.use().used, 0U);
  EXPECT_EQ(cache.use().peak, size);
  EXPECT_EQ(cache.take(2 * size), nullptr);
  EXPECT_EQ(cache.take(size - size / 2), nullptr) << "twice as large";
  EXPECT_EQ(cache.take(size - size / 8), &block);
  EXPECT_EQ(cache.use().used, size);
  EXPECT_TRUE(cache.give_back(&block));
  EXPECT_EQ(cache.take(size), &block);
  EXPECT_EQ(cache.take(size), nullptr) << "it is in use";
  EXPECT_TRUE(cache.give_back(&block));
  EXPECT_EQ(cache.give_up(), std::vector<void*>{&block});
  EXPECT_EQ(cache.take(size), nullptr) << "it is the device's again";
}

TEST(BlockCache, RoundsByAnEighthAtMost) {
  BlockCache const cache(true), none(false);
  for (std::size_t bytes = 1; bytes < std::size_t{1} << 33; bytes += bytes / 3 + 1) {
    std::size_t const size = cache.rounded(bytes);
    EXPECT_GE(size, bytes);
    EXPECT_LT(size, bytes + std::max<std::size_t>(512, bytes / 8 + 1)) << bytes;
    EXPECT_EQ(none.rounded(bytes), bytes);
  }
}

TEST(BlockCache, KeepsNoLargeBlocksAndNoneWhereNoneAreWanted) {
  BlockCache cache(true), none(false);
  char blocks[2];
  cache.add(&blocks[0], std::size_t{64} << 20);
  EXPECT_FALSE(cache.give_back(&blocks[0])) << "large";
  none.add(&blocks[1], 512);
  EXPECT_FALSE(none.give_back(&blocks[1]));
  EXPECT_EQ(none.use().used, 0U);
}

TEST(BlockCache, LetsTheOldestGoThatAreOneTooMany) {
  BlockCache cache(true);
  std::vector<char> blocks(100), more(100);
  auto const lend = [&](std::vector<char>& some, std::size_t bytes) {
    for (auto& block : some) cache.add(&block, bytes);
  };
  auto const give_back = [&](std::vector<char>& some) {
    std::vector<void*> gone;
    for (auto& block : some) {
      EXPECT_TRUE(cache.give_back(&block));
      while (void* const one = cache.too_many()) gone.push_back(one);
    }
    return gone;
  };
  lend(blocks, std::size_t{1} << 20);
  EXPECT_TRUE(give_back(blocks).empty()) << "as much as the most that was in use";
  lend(more, std::size_t{1} << 15);  // other sizes, in use beside what is kept
  cache.reset_peak();
  auto const gone = give_back(more);
  // 100 MiB are kept, and at most 32 MiB and a quarter more than is in use, 3.2 MiB: then an eighth less
  ASSERT_EQ(gone.size(), 72U);
  for (std::size_t i = 0; i < gone.size(); ++i) EXPECT_EQ(gone[i], &blocks[i]) << "the oldest first";
  EXPECT_EQ(cache.take(std::size_t{1} << 15), &more[0]) << "those that came back last are kept";
}

TEST(BlockCache, LendsTheLowestAddressOfASize) {
  BlockCache cache(true);
  char blocks[3];
  for (auto& block : blocks) cache.add(&block, 512);
  for (int const i : {1, 2, 0}) EXPECT_TRUE(cache.give_back(&blocks[i]));
  for (auto& block : blocks) EXPECT_EQ(cache.take(512), &block);
}

}  // namespace
