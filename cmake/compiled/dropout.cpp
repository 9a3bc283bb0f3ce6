#include <graft/kernels/cpu/dropout.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar) template void dropout(Cpu, Scalar const*, RandomKey const*, std::uint32_t, Scalar, Index, Index, Scalar*);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
