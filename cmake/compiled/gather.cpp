#include <graft/kernels/cpu/gather.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                 \
  template void copy_rows(Cpu, Scalar const*, Index const*, Scalar*, Index const*, Index, Index); \
  template void add_rows(Cpu, Scalar const*, Index const*, Scalar*, Index const*, bool, Index, Index);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
