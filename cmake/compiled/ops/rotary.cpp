#include <graft/ops/rotary.hpp>

namespace graft {

template Variable<float> rotary(Variable<float> const&, MirroredArray<Index> const&, RotaryTable<float> const&);
template Variable<double> rotary(Variable<double> const&, MirroredArray<Index> const&, RotaryTable<double> const&);

}  // namespace graft
