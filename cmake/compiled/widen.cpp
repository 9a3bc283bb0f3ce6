#include <graft/kernels/cpu/widen.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(To)                                   \
  template void widen(Cpu, float const*, To*, Index);           \
  template void widen(Cpu, double const*, To*, Index);          \
  template void widen(Cpu, graft::bfloat16 const*, To*, Index); \
  template void widen(Cpu, graft::half const*, To*, Index);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
