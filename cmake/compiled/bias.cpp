#include <graft/kernels/cpu/bias.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                   \
  template void add_bias(Cpu, Scalar const*, Scalar const*, Index, Index, Scalar*); \
  template void add_to_rows(Cpu, Scalar const*, Index, Index, Scalar*);             \
  template void sum_rows(Cpu, Scalar const*, Index, Index, Scalar*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
