#include <graft/adaptation/bottleneck_adapter.hpp>

namespace graft {

template class BottleneckAdapter::State<float, Cpu>;
template class BottleneckAdapter::State<double, Cpu>;

}  // namespace graft
