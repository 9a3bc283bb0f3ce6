// How much memory of the device tensors hold.
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

}  // namespace
