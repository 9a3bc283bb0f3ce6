#include <graft/kernels/cpu/blocks.hpp>

namespace graft::kernels {

#define GRAFT_INSTANTIATE(Scalar)                                                                              \
  template void widen_blocks(Cpu, BlockFormat, std::byte const*, Index, Scalar*);                              \
  template void widen_rows(Cpu, BlockMatrix const&, Index, Index, Scalar*);                                    \
  template void times_blocks_transposed(Cpu, BlockMatrix const&, Scalar const*, Index, Scalar*, Scalar);       \
  template void times_blocks(Cpu, BlockMatrix const&, Scalar const*, Index, Scalar*, Scalar);
GRAFT_INSTANTIATE(float)
GRAFT_INSTANTIATE(double)
#undef GRAFT_INSTANTIATE

}  // namespace graft::kernels
