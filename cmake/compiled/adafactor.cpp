#include <graft/kernels/cpu/adafactor.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                                                       \
  template void adafactor_moments(Cpu, Scalar const*, Index, Index, AdafactorFactors const&, Scalar*, Scalar*);                         \
  template void adafactor_update(Cpu, Scalar const*, Scalar const*, Scalar const*, Index, Index, AdafactorFactors const&, Scalar*);     \
  template void adafactor_vector(Cpu, Scalar const*, Index, AdafactorFactors const&, Scalar*, Scalar*);                                 \
  template void adafactor_apply(Cpu, Scalar*, Scalar const*, Scalar*, Index, double, double, double);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
