// Tensors, their views, and their forms in Eigen and xtensor.
#include <gtest/gtest.h>

#include <graft/tensor/eigen.hpp>
#include <graft/tensor/xtensor.hpp>
#include <graft/weights/frozen_matrix.hpp>

using namespace graft;

namespace {
Tensor<double> counted(Shape const& shape) {
  Tensor<double> tensor(shape);
  for (Index i = 0; i < tensor.size(); ++i) tensor.data()[i] = static_cast<double>(i);
  return tensor;
}
}  // namespace

TEST(Tensor, ViewsShareStorageAndClonesDoNot) {
  auto a = counted({4, 3});
  auto rows = a.slice(1, 3);
  EXPECT_EQ(rows.shape(), (Shape{2, 3}));
  EXPECT_EQ(rows.data(), a.row(1));
  EXPECT_FALSE(a.unique());
  auto const copy = clone(a);
  EXPECT_TRUE(copy.unique());
  rows.data()[0] = -1;
  EXPECT_EQ(a.row(1)[0], -1);
  EXPECT_EQ(copy.row(1)[0], 3);
  EXPECT_EQ(a.reshape({2, 6}).row(1)[0], 6);
  EXPECT_THROW((void)a.slice(2, 5), ShapeError);
  EXPECT_THROW((void)a.reshape({5, 2}), ShapeError);
  EXPECT_THROW((Shape{1, -2}), ShapeError);
  EXPECT_EQ((Tensor<float>(Shape{0, 7}).size()), 0);
}

TEST(Tensor, EigenBothWays) {
  auto a = counted({2, 3});
  EXPECT_EQ(as_matrix(a)(1, 2), 5);
  as_matrix(a)(0, 1) = 10;
  EXPECT_EQ(a.row(0)[1], 10);
  auto const doubled = from_eigen(2.0 * as_matrix(std::as_const(a)));
  EXPECT_EQ(doubled.row(0)[1], 20);
  RowMajorMatrix<double> matrix(2, 2);
  matrix << 1, 2, 3, 4;
  double const* const memory = matrix.data();
  auto const taken = adopt(std::move(matrix));
  EXPECT_EQ(taken.data(), memory);
  EXPECT_EQ(taken.row(1)[0], 3);
}

TEST(Tensor, XtensorBothWays) {
  auto a = counted({2, 3, 2});
  EXPECT_EQ(as_xtensor(a)(1, 2, 1), 11);
  as_xtensor(a)(0, 0, 0) = 7;
  EXPECT_EQ(a.data()[0], 7);
  xt::xarray<double> const source = xt::arange<double>(6.0).reshape({3, 2});
  auto const b = from_xtensor(source + 1.0);
  EXPECT_EQ(b.shape(), (Shape{3, 2}));
  EXPECT_EQ(b.row(2)[1], 6);
  xt::xarray<double> array = source;
  double const* const memory = array.data();
  auto const taken = adopt(std::move(array));
  EXPECT_EQ(taken.data(), memory);
}

TEST(FrozenMatrix, EveryStorageAndLayoutIsTheSameMap) {
  Index const out = 700, in = 5, rows = 3;  // more stored rows than a panel
  Tensor<float> plain(Shape{out, in}), turned(Shape{in, out});
  for (Index o = 0; o < out; ++o)
    for (Index i = 0; i < in; ++i)
      plain.row(o)[i] = turned.row(i)[o] =
          static_cast<float>((o * 7 + i * 3) % 11) - 5.0F;  // exact in bfloat16 and half
  auto const x = normal<float>({rows, in}, RandomKey(1)), g = normal<float>({rows, out}, RandomKey(2));
  FrozenMatrix<float> const reference(plain);
  Tensor<float> y(Shape{rows, out}), dx(Shape{rows, in});
  reference.times_transposed(x.data(), rows, y.data());
  reference.times(g.data(), rows, dx.data());
  for (Index o = 0; o < out; o += 99) {
    double expected = 0;
    for (Index i = 0; i < in; ++i) expected += static_cast<double>(x.row(1)[i]) * static_cast<double>(plain.row(o)[i]);
    EXPECT_NEAR(y.row(1)[o], expected, 1e-4);
  }
  auto const narrowed = [](Tensor<float> const& from, auto tag) {
    Tensor<decltype(tag)> to(from.shape());
    for (Index i = 0; i < from.size(); ++i) to.data()[i] = decltype(tag)(from.data()[i]);
    return to;
  };
  for (auto const& matrix :
       {FrozenMatrix<float>(turned, Layout::in_out), FrozenMatrix<float>(narrowed(plain, bfloat16{})),
        FrozenMatrix<float>(narrowed(plain, half{})),
        FrozenMatrix<float>(narrowed(turned, bfloat16{}), Layout::in_out)}) {
    ASSERT_EQ(matrix.out(), out);
    ASSERT_EQ(matrix.in(), in);
    Tensor<float> y2(y.shape()), dx2(dx.shape()), some(Shape{3, in});
    matrix.times_transposed(x.data(), rows, y2.data());
    matrix.times(g.data(), rows, dx2.data());
    matrix.rows({13, 699, 13}, some.data());
    for (Index i = 0; i < y.size(); ++i) EXPECT_NEAR(y2.data()[i], y.data()[i], 1e-4);
    for (Index i = 0; i < dx.size(); ++i) EXPECT_NEAR(dx2.data()[i], dx.data()[i], 2e-3);
    for (Index i = 0; i < in; ++i) {
      EXPECT_EQ(some.row(0)[i], plain.row(13)[i]);
      EXPECT_EQ(some.row(1)[i], plain.row(699)[i]);
      EXPECT_EQ(some.row(2)[i], plain.row(13)[i]);
    }
  }
}

TEST(FrozenMatrix, Bfloat16ProductsAccumulateInFloat) {
  Tensor<bfloat16> ones(Shape{32, 4096});
  std::fill_n(ones.data(), ones.size(), bfloat16(1.0F));
  auto const x = full(Shape{2, 4096}, 1.0F);
  Tensor<float> y(Shape{2, 32});
  FrozenMatrix<float>(ones).times_transposed(x.data(), 2, y.data());
  EXPECT_EQ(y.data()[0], 4096.0F);
}

TEST(HostPool, BlocksAreUsedAgain) {
  (void)Tensor<float>(Shape{1000, 100});
  auto const before = HostPool::global().system_allocations();
  for (Index rows = 1000; rows > 940; rows -= 10) (void)Tensor<float>(Shape{rows, 100});
  EXPECT_EQ(HostPool::global().system_allocations(), before);
}
