#include <graft/kernels/cpu/scale_columns.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                        \
  template void scale_columns(Cpu, Scalar const*, Scalar const*, Index, Index, Scalar*); \
  template void scale_rows(Cpu, Scalar const*, Scalar const*, Index, Index, Scalar*);    \
  template void scale_columns_gain_gradient(Cpu, Scalar const*, Scalar const*, Index, Index, Scalar*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
