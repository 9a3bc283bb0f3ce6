#include <graft/kernels/cpu/adamw.hpp>

namespace graft::kernels {
template void adamw<float>(Cpu, float*, float const*, float*, float*, Index, AdamWFactors const&);
template void adamw<double>(Cpu, double*, double const*, double*, double*, Index, AdamWFactors const&);
}  // namespace graft::kernels
