#include <graft/ops/gather.hpp>

namespace graft {

template Variable<float> gather_rows(Variable<float> const&, MirroredArray<Index> const&);
template Variable<double> gather_rows(Variable<double> const&, MirroredArray<Index> const&);

}  // namespace graft
