#include <graft/kernels/cpu/attention.hpp>

namespace graft::kernels {

#define GRAFT_ATTENTION(Scalar)                                                                                        \
  template void attention(Cpu, AttentionOperands<Scalar> const&, Scalar*, Scalar*);                                    \
  template void attention_backward(Cpu, AttentionOperands<Scalar> const&, Scalar const*, Scalar const*, Scalar const*, \
                                   AttentionGradients<Scalar> const&);
GRAFT_ATTENTION(float)
GRAFT_ATTENTION(double)
#undef GRAFT_ATTENTION

}  // namespace graft::kernels
