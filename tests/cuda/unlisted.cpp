// Compiled by check_listed.cmake with several scalars and kernels, and lists of them.
#include <graft/kernels/bias.hpp>
#include <graft/kernels/elementwise.hpp>
#include <graft/kernels/sum.hpp>
#include <graft/tensor/cuda_memory.hpp>
#include <graft/tensor/tensor.hpp>

void use(graft::Tensor<SCALAR, graft::Cuda> x) {
#ifdef ADD_BIAS
  graft::kernels::On<graft::Cuda, graft::kernels::Bias, SCALAR>::add_bias(x.data(), x.data(), x.rows(), x.width(),
                                                                          x.data());
#elif defined(SUM)
  graft::kernels::On<graft::Cuda, graft::kernels::Sum, SCALAR>::sum(x.data(), x.size(), x.data());
#else
  graft::kernels::On<graft::Cuda, graft::kernels::Elementwise, SCALAR>::add(x.data(), x.data(), x.data(), x.size());
#endif
}
