#include <graft/kernels/cpu/norm.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                                                     \
  template void norm(Cpu, Scalar const*, Scalar const*, Scalar const*, Scalar, Index, Index, Scalar*, Scalar*, Scalar*);              \
  template void norm_backward(Cpu, Scalar const*, Scalar const*, Scalar const*, Scalar const*, Scalar const*, Index, Index, Scalar*); \
  template void norm_gain_gradient(Cpu, Scalar const*, Scalar const*, Scalar const*, Scalar const*, Index, Index, Scalar*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
