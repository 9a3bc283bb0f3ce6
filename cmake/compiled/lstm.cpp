#include <graft/kernels/cpu/lstm.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                               \
  template void lstm_step(Cpu, Scalar*, Scalar const*, Index, Scalar*, Scalar*); \
  template void lstm_step_backward(Cpu, Scalar const*, Scalar const*, Scalar const*, Scalar const*, Scalar const*, Index, Scalar*, Scalar*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
