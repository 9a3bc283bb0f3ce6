// Which function carries out products is one choice of a program; the first is the entry of graft's own, which jumps to
// the processor's level.
#include <graft/kernels/cpu/matmul.hpp>

namespace graft::kernels {

extern template void cpu::matmul(Product<float> const&);
extern template void cpu::matmul(Product<double> const&);
template struct Matmul<Cpu, float>;
template struct Matmul<Cpu, double>;

}  // namespace graft::kernels
