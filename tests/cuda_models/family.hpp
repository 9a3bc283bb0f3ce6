// The models of one architecture on the host and on the device, behind interfaces: what trains them and writes with
// them compiles once, and each architecture in a source of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <graft/any/any_model.hpp>
#include <graft/any/erased_model.hpp>
#include <graft/any/erased_transformer.hpp>

namespace whole {

template <class Activation, class Device>
using Model = std::shared_ptr<graft::any::ErasedTransformer<Activation, Device>>;
using Choices = std::vector<graft::any::Choice>;

/// Two-layer models of random weights, the same numbers everywhere. A model has a strategy itself, or adapters in an
/// `AdapterTable`: the table compiles once for all strategies.
class Family {
 public:
  virtual ~Family() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual graft::ModelInfo const& info() const = 0;

  /// Whether the device's model that has the strategy itself is compiled for this architecture.
  [[nodiscard]] virtual bool by_itself(graft::any::Choice const& choice) const = 0;
  /// Whether tables also exist in double on both sides, and in bfloat16 on the device.
  [[nodiscard]] virtual bool in_other_numbers() const = 0;

  [[nodiscard]] virtual std::unique_ptr<graft::any::AnyModel> on_host(graft::any::Choice const& choice) const = 0;
  [[nodiscard]] virtual Model<float, graft::Cuda> on_device(graft::any::Choice const& choice) const = 0;

  [[nodiscard]] virtual Model<float, graft::Cpu> table_on_host(Choices const& adapters) const = 0;
  [[nodiscard]] virtual Model<float, graft::Cuda> table_on_device(Choices const& adapters) const = 0;
  [[nodiscard]] virtual Model<double, graft::Cpu> double_on_host(Choices const& adapters) const = 0;
  [[nodiscard]] virtual Model<double, graft::Cuda> double_on_device(Choices const& adapters) const = 0;
  [[nodiscard]] virtual Model<graft::bfloat16, graft::Cuda> bfloat16_on_device(Choices const& adapters) const = 0;
};

[[nodiscard]] std::unique_ptr<Family> gpt2();
[[nodiscard]] std::unique_ptr<Family> llama();
[[nodiscard]] std::unique_ptr<Family> t5();
[[nodiscard]] std::unique_ptr<Family> t5_v1_1();
[[nodiscard]] std::unique_ptr<Family> bart();
[[nodiscard]] std::unique_ptr<Family> bert();

}  // namespace whole
