#include <graft/kernels/cpu/matmul.hpp>

namespace graft::kernels {

template struct ProductTable<float>;
template struct ProductTable<double>;

}  // namespace graft::kernels
