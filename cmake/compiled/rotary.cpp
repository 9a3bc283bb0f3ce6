#include <graft/kernels/cpu/rotary.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                               \
  template void rotary_table(Cpu, double const*, Index, Index, Index, Scalar*); \
  template void rotate(Cpu, Scalar const*, Scalar const*, Index const*, Scalar, Index, Index, Index, Index, Scalar*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
