// Quantized blocks on the device: the host's numbers to the last bit, and its products.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <graft/weights/blocks.hpp>
#include <graft/weights/to_device.hpp>

#include "device_testing.hpp"
#include "weights/block_samples.hpp"

namespace {

using namespace graft;
using namespace graft::block_samples;
using graft::testing::relative_difference;
using graft::testing::tolerance;

template <class Scalar>
class CudaBlocks : public graft::testing::DeviceTest {
 protected:
  static FrozenMatrix<Scalar> matrix(Golden const& golden, Index rows, Index blocks_in_row, Index head_rows = 0,
                                     Layout layout = Layout::out_in) {
    Sample const made = sample(golden, rows, blocks_in_row, head_rows);
    return FrozenMatrix<Scalar>(std::make_shared<BlockStorage<Scalar> const>(made.matrix, made.bytes, layout));
  }
  static void expect_equal(FrozenMatrix<Scalar> const& here) {
    auto const there = to_device<Cuda>(here);
    EXPECT_EQ(there.storage()->name(), here.storage()->name());
    EXPECT_EQ(there.storage()->bytes(), here.storage()->bytes());
    EXPECT_EQ(there.layout(), here.layout());
    EXPECT_EQ(relative_difference(to_device<Cpu>(there.dense()), here.dense()), 0);
    EXPECT_EQ(relative_difference(to_device<Cpu>(there).dense(), here.dense()), 0);
    std::vector<Token> const ids{2, 0, 2, static_cast<Token>(here.out() - 1)};
    Tensor<Scalar> rows(Shape{4, here.in()});
    Tensor<Scalar, Cuda> rows_there(rows.shape());
    here.rows(ids, rows.data()), there.rows(ids, rows_there.data());
    EXPECT_EQ(relative_difference(to_device<Cpu>(rows_there), rows), 0);
    for (Scalar const beta : {Scalar(0), Scalar(1)}) {
      auto const x = normal<Scalar>({3, here.in()}, RandomKey(1)), g = normal<Scalar>({3, here.out()}, RandomKey(2));
      auto y = full(g.shape(), Scalar(0.5)), dx = full(x.shape(), Scalar(0.5));
      auto const x_there = to_device<Cuda>(x), g_there = to_device<Cuda>(g);
      auto y_there = to_device<Cuda>(y), dx_there = to_device<Cuda>(dx);
      here.times_transposed(x.data(), 3, y.data(), beta), here.times(g.data(), 3, dx.data(), beta);
      there.times_transposed(x_there.data(), 3, y_there.data(), beta);
      there.times(g_there.data(), 3, dx_there.data(), beta);
      EXPECT_LE(relative_difference(to_device<Cpu>(y_there), y), tolerance<Scalar>);
      EXPECT_LE(relative_difference(to_device<Cpu>(dx_there), dx), tolerance<Scalar>);
    }
  }
};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaBlocks, Scalars);

TYPED_TEST(CudaBlocks, OfEveryFormat) {
  for (auto const& golden : goldens) {
    SCOPED_TRACE(golden.type);
    this->expect_equal(this->matrix(golden, 7, 2));
    this->expect_equal(this->matrix(golden, 5, 1, 0, Layout::in_out));
  }
}

TYPED_TEST(CudaBlocks, OfInterleavedHeadsAreInOrder) { this->expect_equal(this->matrix(goldens[0], 12, 2, 4)); }

TYPED_TEST(CudaBlocks, OfMoreRowsThanAPanel) { this->expect_equal(this->matrix(goldens[1], 5000, 1)); }

TYPED_TEST(CudaBlocks, OfSomeOutputs) {
  auto const here = this->matrix(goldens[2], 9, 2);
  auto const there = to_device<Cuda>(here);
  EXPECT_EQ(relative_difference(to_device<Cpu>(there.storage()->outputs(3, 8)->dense()),
                                here.storage()->outputs(3, 8)->dense()),
            0);
}

class CudaBlocksInBfloat16 : public graft::testing::DeviceTest {};

template <class Number>
void expect_rounded() {
  if constexpr (kernels::cuda::is_listed<kernels::Blocks<Cuda, Number>>) {
    for (Layout const layout : {Layout::out_in, Layout::in_out}) {
      Sample const made = sample(goldens[3], 6, 2);
      FrozenMatrix<float> const here(std::make_shared<BlockStorage<float> const>(made.matrix, made.bytes, layout));
      auto const there = to_device<Cuda>(here);
      auto const narrow = to_device<Cpu>(there.in_bfloat16()), expected = cast<bfloat16>(here.dense());
      ASSERT_EQ(narrow.shape(), expected.shape());
      for (Index i = 0; i < narrow.size(); ++i) EXPECT_EQ(narrow.data()[i], expected.data()[i]) << i;
    }
  } else {
    GTEST_SKIP() << "not compiled for this scalar";
  }
}
TEST_F(CudaBlocksInBfloat16, AreRoundedOnce) { expect_rounded<bfloat16>(); }

TEST_F(CudaBlocksInBfloat16, AreRoundedOnTheirWay) {
  Sample const made = sample(goldens[3], 6, 2);
  FrozenMatrix<float> const here(std::make_shared<BlockStorage<float> const>(made.matrix, made.bytes));
  auto const there = to_device<Cuda, bfloat16>(here);
  EXPECT_EQ(there.storage()->name(), "bfloat16");
  EXPECT_EQ(
      relative_difference(cast<float>(to_device<Cpu>(there.in_bfloat16())), cast<float>(cast<bfloat16>(here.dense()))),
      0);
}

}  // namespace
