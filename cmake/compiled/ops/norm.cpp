#include <graft/ops/norm.hpp>

namespace graft {

template Variable<float> detail::norm(char const*, bool, Variable<float> const&, Tensor<float> const&,
                                      Tensor<float> const&, double);
template Variable<double> detail::norm(char const*, bool, Variable<double> const&, Tensor<double> const&,
                                       Tensor<double> const&, double);

}  // namespace graft
