// Training, evaluation and generation of whatever model on a GPU, and what is asked of the GPU itself.
#include <graft/any/any_model_of.hpp>
#include <graft/tensor/cuda_memory.hpp>

namespace graft::any {

template std::unique_ptr<AnyModel> make_model<float, Cuda>(std::unique_ptr<ErasedModelOf<float, Cuda>>);
template std::unique_ptr<AnyModel> make_model<bfloat16, Cuda>(std::unique_ptr<ErasedModelOf<bfloat16, Cuda>>);
template ErasedModelOf<float, Cuda>& erased_as<float, Cuda>(AnyModel&);
template ErasedModelOf<bfloat16, Cuda>& erased_as<bfloat16, Cuda>(AnyModel&);

std::vector<Placement> const& placements() {
  static std::vector<Placement> const all{
      {}, {DeviceKind::cuda, NumberKind::fp32}, {DeviceKind::cuda, NumberKind::bf16}};
  return all;
}

void check_built(Placement const& placement) { detail::check_among(placement, placements()); }
void check(Placement const& placement) {
  check_built(placement);
  if (placement.device == DeviceKind::cpu) return;
  if (std::string const why = cuda_unavailable(); !why.empty())
    fail<ConfigError>("[device] got cuda; this machine says: ", why,
                      "; expected an NVIDIA GPU and its driver; hint: nvidia-smi lists them; cpu needs none");
}

std::size_t peak_bytes(DeviceKind device) { return device == DeviceKind::cuda ? cuda_memory_use().peak : 0; }

}  // namespace graft::any
