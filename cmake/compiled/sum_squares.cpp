#include <graft/kernels/cpu/sum_squares.hpp>

namespace graft::kernels {
template double sum_squares<float>(Cpu, float const*, Index);
template double sum_squares<double>(Cpu, double const*, Index);
}  // namespace graft::kernels
