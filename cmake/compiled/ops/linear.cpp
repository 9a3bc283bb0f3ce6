#include <graft/ops/linear.hpp>

namespace graft {

template Variable<float> linear(Variable<float> const&, FrozenMatrix<float> const&, Tensor<float> const&, bool);
template Variable<double> linear(Variable<double> const&, FrozenMatrix<double> const&, Tensor<double> const&, bool);
template Variable<float> linear(Variable<float> const&, TrainableMatrix<float> const&, Variable<float> const&, bool);
template Variable<double> linear(Variable<double> const&, TrainableMatrix<double> const&, Variable<double> const&,
                                 bool);

}  // namespace graft
