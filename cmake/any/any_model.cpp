// Training, evaluation and generation of whatever model on the host, compiled once.
#include <graft/any/any_model_of.hpp>

namespace graft::any {

template std::unique_ptr<AnyModel> make_model<float, Cpu>(std::unique_ptr<ErasedModel>);
template ErasedModel& erased_as<float, Cpu>(AnyModel&);

ErasedModel& AnyModel::erased() { return erased_as<float, Cpu>(*this); }

}  // namespace graft::any
