#include <graft/kernels/cpu/cross_entropy.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                                      \
  template void softmax_block(Cpu, Scalar*, Index, Index, Index, Token const*, SoftmaxRows<Scalar>, Scalar*);          \
  template void cross_entropy_gradient(Cpu, Scalar*, Index, Index, Index, Token const*, Scalar const*, Scalar const*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
