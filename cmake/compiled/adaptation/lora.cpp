#include <graft/adaptation/lora.hpp>

namespace graft {

template class LoRA::State<float, Cpu>;
template class LoRA::State<double, Cpu>;

}  // namespace graft
