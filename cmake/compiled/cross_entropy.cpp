#include <graft/kernels/cpu/cross_entropy.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                              \
  template void softmax_statistics(Cpu, Scalar*, Index, Index, Token const*, Scalar*, Scalar*, Scalar*, bool); \
  template void cross_entropy_gradient(Cpu, Scalar*, Index, Index, Token const*, Scalar const*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
