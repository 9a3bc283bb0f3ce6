#include "gpu/device_base.hpp"

#include <utility>

#include <graft/adaptation/lora.hpp>
#include <graft/adaptation/prefix_tuning.hpp>
#include <graft/any/adapted_transformer.hpp>
#include <graft/io/load_adapter.hpp>
#include <graft/io/load_pretrained.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/gpt2.hpp>
#include <graft/models/llama.hpp>
#include <graft/models/to_device.hpp>

#include "support/random_base.hpp"

namespace gpu {

using namespace graft;

namespace {

template <Architecture A>
class DeviceBaseOf final : public DeviceBase {
 public:
  explicit DeviceBaseOf(Base<A> const& host) : base_(to_device<Cuda>(host)) {}
  [[nodiscard]] ModelConfig const& config() const override { return base_->config(); }
  [[nodiscard]] ModelInfo const& info() const override { return base_->info(); }
  [[nodiscard]] Model<float> in_float32(Adapter const& adapter) const override { return make<Float32>(adapter); }
  [[nodiscard]] Model<bfloat16> in_bfloat16(Adapter const& adapter) const override { return make<Bfloat16>(adapter); }

 private:
  template <class P>
  [[nodiscard]] Model<ActivationOf<P>> make(Adapter const& adapter) const {
    if (adapter.method == "lora") return adapted<P>(LoRA{}, adapter);
    PrefixTuning settings = PrefixTuning::recommended();
    settings.length = adapter.length;
    return adapted<P>(std::move(settings), adapter);
  }
  template <class P, class Strategy>
  [[nodiscard]] Model<ActivationOf<P>> adapted(Strategy settings, Adapter const& adapter) const {
    auto model = with_precision<P>(adapter.folder.empty() ? adapt(base_, std::move(settings))
                                                          : load_adapter<Strategy>(base_, adapter.folder));
    return std::make_unique<any::AdaptedTransformer<decltype(model)>>(std::move(model));
  }

  Base<A, float, Cuda> base_;
};

/// The same base with matrices in bfloat16.
template <Architecture A>
Base<A> narrowed(Base<A> const& base) {
  auto result = std::make_shared<Pretrained<A>>(*base);
  for (auto const& site : base->info().sites) {
    auto& matrix = result->mutable_at(site.address).matrix;
    if (!site.tied && !matrix.empty()) matrix = {cast<bfloat16>(matrix.dense()), matrix.layout()};
  }
  return result;
}
template <Architecture A>
std::unique_ptr<DeviceBase> random_of(ModelConfig const& config, bool narrow) {
  auto const base = benchmark_support::random_base<A>(config);
  return std::make_unique<DeviceBaseOf<A>>(narrow ? narrowed(base) : base);
}

}  // namespace

std::unique_ptr<DeviceBase> load(std::string const& path) {
  std::unique_ptr<DeviceBase> loaded;
  visit_pretrained<Gpt2, Llama>(
      path, [&]<Architecture A>(Base<A> const& base) { loaded = std::make_unique<DeviceBaseOf<A>>(base); });
  return loaded;
}
std::unique_ptr<DeviceBase> random(std::string const& shape, bool narrow) {
  auto const config = benchmark_support::shape_config(shape);
  return config.architecture == "gpt2" ? random_of<Gpt2>(config, narrow) : random_of<Llama>(config, narrow);
}

}  // namespace gpu
