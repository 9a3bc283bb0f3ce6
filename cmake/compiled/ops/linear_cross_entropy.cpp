#include <graft/ops/linear_cross_entropy.hpp>

namespace graft {

template TargetScores<float, Cpu> linear_cross_entropy(Variable<float> const&, FrozenMatrix<float> const&,
                                                       MirroredArray<Token> const&, Tensor<float> const&, LogitBlock);
template TargetScores<double, Cpu> linear_cross_entropy(Variable<double> const&, FrozenMatrix<double> const&,
                                                        MirroredArray<Token> const&, Tensor<double> const&, LogitBlock);

}  // namespace graft
