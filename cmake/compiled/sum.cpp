#include <graft/kernels/cpu/sum.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                            \
  template void sum(Cpu, Scalar const*, Index, Scalar*);                                     \
  template void dot(Cpu, Scalar const*, Scalar const*, Index, Scalar*);                      \
  template void squared_distance(Cpu, Scalar const*, Scalar const*, Scalar, Index, Scalar*); \
  template void broadcast(Cpu, Scalar const*, Scalar*, Index);                               \
  template void scale_by(Cpu, Scalar const*, Scalar const*, Scalar*, Index);                 \
  template void scaled_difference(Cpu, Scalar const*, Scalar const*, Scalar const*, Scalar, Scalar*, Index);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
