// A base on the device, whose models run in float32 or over bfloat16 activations: the loops that time them compile
// once.
#pragma once

#include <memory>
#include <string>

#include <graft/any/erased_transformer.hpp>

namespace gpu {

template <class Activation>
using Model = std::unique_ptr<graft::any::ErasedTransformer<Activation, graft::Cuda>>;

/// What adapts the base.
struct Adapter {
  std::string method = "prefix";  ///< or "lora"
  std::string folder = {};        ///< to start from; empty: a fresh one
  graft::Index length = 10;       ///< of a fresh prefix
};

class DeviceBase {
 public:
  virtual ~DeviceBase() = default;
  [[nodiscard]] virtual graft::ModelConfig const& config() const = 0;
  [[nodiscard]] virtual graft::ModelInfo const& info() const = 0;
  [[nodiscard]] virtual Model<float> in_float32(Adapter const& adapter) const = 0;
  [[nodiscard]] virtual Model<graft::bfloat16> in_bfloat16(Adapter const& adapter) const = 0;
};

/// A Hugging Face folder or GGUF file of GPT-2 or LLaMA.
[[nodiscard]] std::unique_ptr<DeviceBase> load(std::string const& path);
/// Random weights; stored in bfloat16 if wanted.
[[nodiscard]] std::unique_ptr<DeviceBase> random(std::string const& shape, bool narrow);

}  // namespace gpu
