#include <graft/kernels/cpu/activation.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                 \
  template void activate(Cpu, Activation, Scalar const*, Scalar*, Index);                         \
  template void activate_backward(Cpu, Activation, Scalar const*, Scalar const*, Scalar*, Index); \
  template void gated(Cpu, Activation, Scalar const*, Scalar const*, Scalar*, Index);             \
  template void gated_backward(Cpu, Activation, Scalar const*, Scalar const*, Scalar const*, Scalar*, Scalar*, Index);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
