/// @file
/// @brief What `AnyModel` asks of a model, behind virtual functions.
#pragma once

#include <filesystem>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <graft/any/erased_transformer.hpp>
#include <graft/inspect/inspection.hpp>
#include <graft/inspect/near_words.hpp>
#include <graft/io/adapter_folder.hpp>

namespace graft::any {

/// A transformer with a strategy, which can also be looked into and saved.
/// @tparam Activation float, or bfloat16 on a GPU
template <class Activation, class Device>
class ErasedModelOf : public ErasedTransformer<Activation, Device> {
 public:
  /// What `graft::inspect` and `graft::nearest_words` give of the model.
  [[nodiscard]] virtual Inspection inspect(Batch const& batch, InspectSettings const& settings) const = 0;
  [[nodiscard]] virtual std::vector<VirtualTokenWords> nearest_words(Index count) const = 0;
  /// What `model_identity` gives of the model.
  [[nodiscard]] virtual nlohmann::json identity() const = 0;
  /// Writes the adapter folder (PEFT's where PEFT has the strategy, unless the options say otherwise).
  virtual void save(std::filesystem::path const& folder, AdapterOptions const& options) = 0;
  /// Writes the base with the adapter in its weights. @throws ConfigError for a strategy that is not in them
  virtual void save_merged(std::filesystem::path const& folder) = 0;
};

/// In float32 on the host.
using ErasedModel = ErasedModelOf<float, Cpu>;

}  // namespace graft::any
