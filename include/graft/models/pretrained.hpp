/// @file
/// @brief The frozen base: one set of weights, shared by every model that adapts it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/models/architecture.hpp>
#include <graft/models/weights_hash.hpp>

namespace graft {

/// The frozen tensors of one site.
template <class Scalar, class Device>
struct SiteWeights {
  FrozenMatrix<Scalar, Device> matrix;  ///< linear maps and embeddings
  Tensor<Scalar, Device> gain;          ///< norms, `[width]`
  Tensor<Scalar, Device> bias;          ///< empty where the site has none; a buffer's numbers
};

/// A base model: configuration, table and frozen weights. Filled by a loader, then only read.
template <Architecture A, class Scalar = float, class Device = Cpu>
class Pretrained {
 public:
  static_assert(
      std::is_floating_point_v<Scalar>,
      "graft: a base's numbers are float or double; another precision is a model's: adapt<Bfloat16>(base, strategy)");
  using architecture = A;
  using scalar_type = Scalar;
  using device_type = Device;

  explicit Pretrained(ModelConfig config)
      : config_(std::move(config)), info_(describe_model<A>(config_)), weights_(slots()) {}

  [[nodiscard]] ModelConfig const& config() const { return config_; }
  [[nodiscard]] ModelInfo const& info() const { return info_; }
  /// The weights of a site; a tied head's are the token embedding's.
  [[nodiscard]] SiteWeights<Scalar, Device> const& at(SiteAddress const& address) const {
    return weights_[slot(address)];
  }
  /// For loaders only.
  [[nodiscard]] SiteWeights<Scalar, Device>& mutable_at(SiteAddress const& address) { return weights_[slot(address)]; }

  /// A hash of all weights as numbers, 16 hexadecimal digits: tells a base from another of the same shape. The same
  /// weights have the same hash whatever file, shards, wider type or device they are stored in; rounded or quantized
  /// ones have another. Computed when first asked for, after loading.
  [[nodiscard]] std::string weights_hash() const {
    return hash_.get([this] {
      detail::WeightsHash hash;
      for (auto const& site : info_.sites) {
        if (site.tied) continue;
        auto const& weights = at(site.address);
        hash.add(site.name + ".weight", weights.matrix);
        hash.add(site.name + ".weight", weights.gain);
        hash.add(site.name + ".bias", weights.bias);
      }
      return hash.digits();
    });
  }

  /// Lets `weights_hash` be that of the base whose numbers were rounded to these: an adapter over one is one over the
  /// other. A copy, which may be changed, has its own again.
  void stand_for(std::function<std::string()> hash_of_original) { hash_.give(std::move(hash_of_original)); }

  std::string source;         ///< where it was loaded from, for adapter files and messages
  std::string configuration;  ///< config.json's text, for saving it again
  std::string
      storage;  ///< how the file stores most of the weights: float32, bfloat16, Q8_0, …; empty if not loaded from one

 private:
  /// The main stack's sites, then those of each of its layers, then the same of the encoder.
  [[nodiscard]] std::size_t slot(SiteAddress address) const {
    if (address.site == Site::head && config_.tied_head) address.site = Site::token_embedding;
    Index const first = is_per_model(address.site) || address.at.stack == main_stack<A> ? 0 : 1 + config_.layers;
    return static_cast<std::size_t>(address.site) + site_count * static_cast<std::size_t>(first + address.at.layer + 1);
  }
  [[nodiscard]] std::size_t slots() const {
    return site_count *
           static_cast<std::size_t>(1 + config_.layers + (config_.encoder ? 1 + config_.encoder->layers : 0));
  }

  ModelConfig config_;
  ModelInfo info_;
  std::vector<SiteWeights<Scalar, Device>> weights_;
  detail::LazyText hash_;
};

template <Architecture A, class Scalar = float, class Device = Cpu>
using Base = std::shared_ptr<Pretrained<A, Scalar, Device> const>;

/// The base's own tensor of a site, copied, in its stored shape; empty if it has none.
template <Architecture A, class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> copy_weight(Pretrained<A, Scalar, Device> const& base, SiteAddress const& address,
                                                 Part part) {
  auto const& weights = base.at(address);
  if (part == Part::bias) return weights.bias.empty() ? weights.bias : clone(weights.bias);
  if (!weights.gain.empty()) return clone(weights.gain);
  return weights.matrix.empty() ? Tensor<Scalar, Device>() : weights.matrix.dense();
}

}  // namespace graft
