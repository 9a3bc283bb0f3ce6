// A user's own kernel, as docs/cuda.md shows it.
#include "device_testing.hpp"
#include "soft_shrink.hpp"

namespace {

using namespace graft;

class OwnCudaKernel : public graft::testing::DeviceTest {};

TEST_F(OwnCudaKernel, GivesWhatTheHostGives) {
  auto const x = normal<float>(Shape{1000}, RandomKey(31));
  Tensor<float> expected(x.shape());
  kernels::On<Cpu, app::SoftShrink, float>::forward(x.data(), 0.5F, expected.data(), x.size());
  auto const there = to_device<Cuda>(x);
  Tensor<float, Cuda> got(x.shape());
  kernels::On<Cuda, app::SoftShrink, float>::forward(there.data(), 0.5F, got.data(), x.size());
  graft::testing::expect_close(got, expected, "soft_shrink");
}

}  // namespace
