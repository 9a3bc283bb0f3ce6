// Tensors as Eigen matrices and xtensor expressions, as docs/concepts.md shows them.
#include <graft/tensor/eigen.hpp>
#include <graft/tensor/xtensor.hpp>

#include <gtest/gtest.h>

namespace {

TEST(Arrays, Eigen) {
  //! [eigen]
  graft::Tensor<float> x = graft::normal<float>(graft::Shape{4, 3}, graft::RandomKey(1));
  graft::as_matrix(x).row(0).setZero();  // the same memory
  graft::Tensor<float> gram = graft::from_eigen(graft::as_matrix(x) * graft::as_matrix(x).transpose());  // [4, 4]
  //! [eigen]
  EXPECT_EQ(x.data()[2], 0.0F);
  EXPECT_EQ(gram.shape(), (graft::Shape{4, 4}));
  EXPECT_EQ(gram.row(0)[3], 0.0F);
  EXPECT_GT(gram.row(1)[1], 0.0F);
}

TEST(Arrays, Xtensor) {
  //! [xtensor]
  xt::xarray<double> array{{1.0, 2.0}, {3.0, 4.0}};
  graft::Tensor<double> doubled = graft::from_xtensor(array * 2.0);
  double total = xt::sum(graft::as_xtensor(doubled))();
  //! [xtensor]
  EXPECT_EQ(total, 20.0);
}

}  // namespace
