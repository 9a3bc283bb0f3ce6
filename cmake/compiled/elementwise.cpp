#include <graft/kernels/cpu/elementwise.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                            \
  template void fill(Cpu, Scalar*, Scalar, Index);                           \
  template void add(Cpu, Scalar const*, Scalar const*, Scalar*, Index);      \
  template void scale(Cpu, Scalar const*, Scalar, Scalar*, Index);           \
  template void multiply(Cpu, Scalar const*, Scalar const*, Scalar*, Index); \
  template void add_scaled(Cpu, Scalar const*, Scalar, Scalar*, Index);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
