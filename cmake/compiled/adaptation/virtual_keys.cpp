#include <graft/adaptation/virtual_keys.hpp>

namespace graft {

template class VirtualKeysState<Place::front, float, Cpu>;
template class VirtualKeysState<Place::front, double, Cpu>;
template class VirtualKeysState<Place::infix, float, Cpu>;
template class VirtualKeysState<Place::infix, double, Cpu>;

}  // namespace graft
