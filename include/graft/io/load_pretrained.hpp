/// @file
/// @brief `load_pretrained`: a Hugging Face folder, safetensors file or GGUF file as a frozen base model.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/presence.hpp>
#include <graft/core/thread_pool.hpp>
#include <graft/core/warning.hpp>
#include <graft/io/open_checkpoint.hpp>
#include <graft/io/stated_model.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/weights/blocks.hpp>
#include <graft/weights/packed.hpp>

namespace graft {

namespace detail {

/// Keeps the file of an entry whose numbers are read there. Its last copy gives their pages back to the system.
[[nodiscard]] inline std::shared_ptr<void const> pages_of(TensorEntry const& entry) {
  return {entry.data, [owner = entry.owner, bytes = entry.bytes](void const* data) {
            if (owner) owner->discard(static_cast<std::byte const*>(data), bytes);
          }};
}

/// A tensor of the model's scalar: aliases the file where it holds just that, else converted.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> load_tensor(Checkpoint const& checkpoint, std::string const& name,
                                         std::vector<std::int64_t> const& shape) {
  TensorEntry const entry = checkpoint.require(name, shape);
  Shape const extents(std::vector<Index>(shape.begin(), shape.end()));
  if (entry.data && entry.dtype == dtype_of<Scalar> && entry.aligned()) {
    auto* const data = const_cast<Scalar*>(
        reinterpret_cast<Scalar const*>(entry.data));  // read only: nobody writes to a base's tensors
    return Tensor<Scalar>::alias(extents, data, pages_of(entry));
  }
  Tensor<Scalar> tensor(extents);
  checkpoint.read(name, tensor.data());
  return tensor;
}

/// A matrix in a storage that loses nothing. Quantized blocks stay blocks. For a float model, bfloat16 and half stay
/// what they are where the file has them in the checkpoint's order. Those that GGUF keeps in another are widened:
/// LLaMA's queries and keys, GPT-2's matrices.
template <class Scalar>
[[nodiscard]] FrozenMatrix<Scalar> load_matrix(Checkpoint const& checkpoint, std::string const& name,
                                               SiteInfo const& site) {
  bool const turned = site.layout == Layout::in_out;
  std::vector<std::int64_t> const shape{turned ? site.in : site.out, turned ? site.out : site.in};
  TensorEntry const entry = checkpoint.require(name, shape);
  if (auto const stored = checkpoint.blocks(name); stored && stored->turned == turned)
    return FrozenMatrix<Scalar>(
        std::make_shared<BlockStorage<Scalar> const>(stored->matrix, stored->owner, site.layout));
  auto const narrow = [&](auto tag) {
    using Stored = decltype(tag);
    auto* const data = const_cast<Stored*>(reinterpret_cast<Stored const*>(entry.data));
    return for_products<Scalar>(Tensor<Stored>::alias(Shape{shape[0], shape[1]}, data, pages_of(entry)), site.layout);
  };
  if (std::is_same_v<Scalar, float> && entry.data && entry.aligned()) {
    if (entry.dtype == Dtype::bf16) return narrow(bfloat16{});
    if (entry.dtype == Dtype::f16) return narrow(half{});
  }
  return for_products<Scalar>(load_tensor<Scalar>(checkpoint, name, shape), site.layout);
}

}  // namespace detail

/// The configuration of a checkpoint, with what only its tensors tell: a head that differs from the embedding is the
/// model's own, whatever the configuration says
/// (transformers 5 does not tie it then either).
[[nodiscard]] inline ModelConfig checkpoint_config(Checkpoint const& checkpoint) {
  return detail::completed_config<void>(checkpoint, detail::stated_config<void>(checkpoint));
}

namespace detail {

/// Says that an adapter beside a model's own files is not used; transformers loads it with the model.
inline void warn_of_adapter(std::filesystem::path const& model) {
  if (is_there(model / "adapter_config.json"))
    warn("[", model.string(),
         "] holds an adapter beside the model, which is not used with it; transformers does; hint: load it as an "
         "adapter (--adapter), or "
         "keep it in a folder of its own");
}

#ifdef GRAFT_COMPILED_IO
extern template Tensor<float> load_tensor(Checkpoint const&, std::string const&, std::vector<std::int64_t> const&);
extern template Tensor<double> load_tensor(Checkpoint const&, std::string const&, std::vector<std::int64_t> const&);
extern template FrozenMatrix<float> load_matrix(Checkpoint const&, std::string const&, SiteInfo const&);
extern template FrozenMatrix<double> load_matrix(Checkpoint const&, std::string const&, SiteInfo const&);
#endif

/// `load_pretrained` with a configuration that has been parsed.
template <Architecture A, class Scalar>
[[nodiscard]] Base<A, Scalar> load_stated(std::shared_ptr<Checkpoint const> const& checkpoint,
                                          StatedConfig const& stated) {
  std::string const where = checkpoint->path();
  ModelConfig const config = completed_config<void>(*checkpoint, stated);
  if (!covers<A>(config.architecture))
    fail<FileError>("[", where, "] has the model_type ", printable(config.architecture), "; expected ", A::model_type,
                    ", the architecture asked for");
  auto base = std::make_shared<Pretrained<A, Scalar>>(config);
  base->source = where;
  base->configuration = stated.json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  base->storage = main_storage<void>(*checkpoint);
  auto const& sites = base->info().sites;
  StoredSites const stored = stored_sites<void>(*checkpoint, config, stated.config.tied_head, sites);
  parallel_for(static_cast<Index>(sites.size()), [&](Index i) {
    SiteInfo const& site = sites[static_cast<std::size_t>(i)];
    auto const& [weight, bias] = stored.names[static_cast<std::size_t>(i)];
    if (site.tied) return;
    auto& weights = base->mutable_at(site.address);
    if (site.role == Role::buffer) {
      weights.bias = checkpoint->contains(weight)
                         ? load_tensor<Scalar>(*checkpoint, weight, {site.out, site.in}).reshape(Shape{site.weights()})
                         : zeros<Scalar>(Shape{site.weights()});
      return;
    }
    if (site.role == Role::head && A::head == HeadKind::classifier && !checkpoint->contains(weight)) return;
    if (site.address.site == Site::head && !checkpoint->contains(weight))
      fail<FileError>("[", where, "] lacks the tensor ", printable(weight),
                      ", and its configuration does not tie the head to the embedding; expected a head, or "
                      "tie_word_embeddings true");
    if (site.role == Role::norm)
      weights.gain = load_tensor<Scalar>(*checkpoint, weight, {site.out});
    else
      weights.matrix = load_matrix<Scalar>(*checkpoint, weight, site);
    if (site.bias) weights.bias = load_tensor<Scalar>(*checkpoint, bias, {site.out});
  });
  if (!stored.unread.empty()) warn(stored.unread);
  return base;
}

}  // namespace detail

/// Fills a base model from an open checkpoint. Throws `FileError` for missing tensors and shapes that disagree with
/// the configuration.
template <Architecture A, class Scalar = float>
[[nodiscard]] Base<A, Scalar> load_pretrained(std::shared_ptr<Checkpoint const> const& checkpoint) {
  return detail::load_stated<A, Scalar>(checkpoint, detail::stated_config<void>(*checkpoint));
}

/// Opens `path` (a folder with config.json and safetensors, or a GGUF file) and loads the base model in it.
template <Architecture A, class Scalar = float>
[[nodiscard]] Base<A, Scalar> load_pretrained(std::filesystem::path const& path) {
  detail::warn_of_adapter(path);
  return load_pretrained<A, Scalar>(open_checkpoint(path));
}

/// Loads whichever of `Architectures` the checkpoint is of and calls `f(base)` with it: the one place where a program
/// turns a string into a type.
template <Architecture... Architectures, class Scalar = float, class F>
auto visit_pretrained(std::shared_ptr<Checkpoint const> const& checkpoint, F const& f) {
  auto const stated = detail::stated_config<void>(*checkpoint);
  std::string const& type = stated.config.architecture;
  using Result = std::common_type_t<decltype(f(std::declval<Base<Architectures, Scalar>>()))...>;
  if constexpr (std::is_void_v<Result>) {
    bool const found =
        ((covers<Architectures>(type) ? (f(detail::load_stated<Architectures, Scalar>(checkpoint, stated)), true)
                                      : false) ||
         ...);
    if (found) return;
  } else {
    std::unique_ptr<Result> result;
    bool const found =
        ((covers<Architectures>(type)
              ? (result = std::make_unique<Result>(f(detail::load_stated<Architectures, Scalar>(checkpoint, stated))),
                 true)
              : false) ||
         ...);
    if (found) return std::move(*result);
  }
  std::string choices;
  ((choices += (choices.empty() ? "" : ", ") + std::string(Architectures::model_type)), ...);
  fail<FileError>("[", checkpoint->path(), "] has the model_type ", printable(type), "; expected one of ", choices);
}

/// The same of `path`, which is opened.
template <Architecture... Architectures, class Scalar = float, class F>
auto visit_pretrained(std::filesystem::path const& path, F const& f) {
  auto const checkpoint = open_checkpoint(path);
  detail::warn_of_adapter(path);
  return visit_pretrained<Architectures...>(checkpoint, f);
}

}  // namespace graft
