/// @file
/// @brief `load_pretrained`: a Hugging Face folder, safetensors file or GGUF file as a frozen base model.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/core/thread_pool.hpp>
#include <graft/io/generation_config.hpp>
#include <graft/io/model_config.hpp>
#include <graft/io/open_checkpoint.hpp>
#include <graft/models/pretrained.hpp>

namespace graft {

namespace detail {

/// The stored name of a tensor: as the table has it, or without its first component (checkpoints of the bare model). Encoder–decoders share one token embedding,
/// which a file may hold under any of its names.
[[nodiscard]] inline std::string stored_name(Checkpoint const& checkpoint, std::string const& name) {
  std::vector<std::string> candidates{name};
  if (name == "shared.weight" || name == "model.shared.weight")
    for (char const* stack : {"encoder", "decoder"}) candidates.push_back(name.substr(0, name.find("shared")) + stack + ".embed_tokens.weight");
  for (std::string const& candidate : candidates) {
    if (checkpoint.contains(candidate)) return candidate;
    for (std::string_view prefix : {"transformer.", "model.", "bert.", "roberta."})
      if (candidate.starts_with(prefix) && checkpoint.contains(candidate.substr(prefix.size()))) return candidate.substr(prefix.size());
  }
  return name;
}

/// A tensor of the model's scalar: aliases the file where it holds just that, else converted.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> load_tensor(Checkpoint const& checkpoint, std::string const& wanted, std::vector<std::int64_t> const& shape) {
  std::string const name = stored_name(checkpoint, wanted);
  TensorEntry const entry = checkpoint.require(name, shape);
  Shape const extents(std::vector<Index>(shape.begin(), shape.end()));
  if (entry.data && entry.dtype == dtype_of<Scalar> && entry.aligned()) {
    auto* const data = const_cast<Scalar*>(reinterpret_cast<Scalar const*>(entry.data));  // read only: nobody writes to a base's tensors
    return Tensor<Scalar>::alias(extents, data, entry.owner);
  }
  Tensor<Scalar> tensor(extents);
  checkpoint.read(name, tensor.data());
  return tensor;
}

/// A matrix in the narrowest storage that loses nothing: bfloat16 and half stay as they are for a float model.
template <class Scalar>
[[nodiscard]] FrozenMatrix<Scalar> load_matrix(Checkpoint const& checkpoint, SiteInfo const& site) {
  bool const turned = site.layout == Layout::in_out;
  std::vector<std::int64_t> const shape{turned ? site.in : site.out, turned ? site.out : site.in};
  std::string const name = site.name + ".weight";
  TensorEntry const entry = checkpoint.require(stored_name(checkpoint, name), shape);
  auto const narrow = [&](auto tag) -> FrozenMatrix<Scalar> {
    using Stored = decltype(tag);
    auto* const data = const_cast<Stored*>(reinterpret_cast<Stored const*>(entry.data));
    return {Tensor<Stored>::alias(Shape{shape[0], shape[1]}, data, entry.owner), site.layout};
  };
  if (std::is_same_v<Scalar, float> && entry.data && entry.aligned()) {
    if (entry.dtype == Dtype::bf16) return narrow(bfloat16{});
    if (entry.dtype == Dtype::f16) return narrow(half{});
  }
  return {load_tensor<Scalar>(checkpoint, name, shape), site.layout};
}

}  // namespace detail

namespace detail {

/// How a checkpoint stores most of its values, with one spelling for GGUF's and safetensors' plain types.
[[nodiscard]] inline std::string main_storage(Checkpoint const& checkpoint) {
  std::map<std::string, double> values;
  for (auto const& name : checkpoint.names()) {
    double size = 1;
    for (auto const extent : checkpoint.entry(name).shape) size *= static_cast<double>(extent);
    values[checkpoint.storage(name)] += size;
  }
  std::string most;
  for (auto const& [storage, size] : values)
    if (most.empty() || size > values.at(most)) most = storage;
  return most == "F32" ? "float32" : most == "F16" ? "float16" : most == "BF16" ? "bfloat16" : most;
}

}  // namespace detail

/// The configuration of a checkpoint, with what only its tensors tell: whether the head is its own.
[[nodiscard]] inline ModelConfig checkpoint_config(Checkpoint const& checkpoint) {
  nlohmann::json const json = checkpoint.config();
  ModelConfig config = model_config(json, checkpoint.path());
  bool const t5 = config.architecture.starts_with("t5");  // whose files, not flags, say it
  if (t5 || !json.contains("tie_word_embeddings")) config.tied_head = !checkpoint.contains("lm_head.weight");
  apply_generation_config(config, generation_config(checkpoint.path(), json));
  return config;
}

/// Fills a base model from an open checkpoint. Throws `FileError` for missing tensors and shapes that disagree with the configuration.
template <Architecture A, class Scalar = float>
[[nodiscard]] Base<A, Scalar> load_pretrained(std::shared_ptr<Checkpoint const> const& checkpoint) {
  std::string const where = checkpoint->path();
  ModelConfig const config = checkpoint_config(*checkpoint);
  if (!covers<A>(config.architecture))
    fail<FileError>("[", where, "] has the model_type ", printable(config.architecture), "; expected ", A::model_type, ", the architecture asked for");
  auto base = std::make_shared<Pretrained<A, Scalar>>(config);
  base->source = where;
  base->configuration = checkpoint->config().dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  base->storage = detail::main_storage(*checkpoint);
  auto const& sites = base->info().sites;
  parallel_for(static_cast<Index>(sites.size()), [&](Index i) {
    SiteInfo const& site = sites[static_cast<std::size_t>(i)];
    if (site.tied) return;
    auto& weights = base->mutable_at(site.address);
    if (site.role == Role::buffer) {
      weights.bias = checkpoint->contains(site.name) ? detail::load_tensor<Scalar>(*checkpoint, site.name, {site.out, site.in}).reshape(Shape{site.weights()}) : zeros<Scalar>(Shape{site.weights()});
      return;
    }
    if (site.role == Role::head && A::head == HeadKind::classifier && !checkpoint->contains(detail::stored_name(*checkpoint, site.name + ".weight"))) return;
    if (site.role == Role::norm)
      weights.gain = detail::load_tensor<Scalar>(*checkpoint, site.name + ".weight", {site.out});
    else
      weights.matrix = detail::load_matrix<Scalar>(*checkpoint, site);
    if (site.bias) weights.bias = detail::load_tensor<Scalar>(*checkpoint, site.name + ".bias", {site.out});
  });
  return base;
}

/// Opens `path` (a folder with config.json and safetensors, or a GGUF file) and loads the base model in it.
template <Architecture A, class Scalar = float>
[[nodiscard]] Base<A, Scalar> load_pretrained(std::filesystem::path const& path) {
  return load_pretrained<A, Scalar>(open_checkpoint(path));
}

/// Loads whichever of `Architectures` the checkpoint is of and calls `f(base)` with it: the one place where a program turns a string into a type.
template <Architecture... Architectures, class Scalar = float, class F>
auto visit_pretrained(std::filesystem::path const& path, F const& f) {
  auto const checkpoint = open_checkpoint(path);
  std::string const type = model_config(checkpoint->config(), checkpoint->path()).architecture;
  using Result = std::common_type_t<decltype(f(std::declval<Base<Architectures, Scalar>>()))...>;
  if constexpr (std::is_void_v<Result>) {
    bool const found = ((covers<Architectures>(type) ? (f(load_pretrained<Architectures, Scalar>(checkpoint)), true) : false) || ...);
    if (found) return;
  } else {
    std::unique_ptr<Result> result;
    bool const found =
        ((covers<Architectures>(type) ? (result = std::make_unique<Result>(f(load_pretrained<Architectures, Scalar>(checkpoint))), true) : false) || ...);
    if (found) return std::move(*result);
  }
  std::string choices;
  ((choices += (choices.empty() ? "" : ", ") + std::string(Architectures::model_type)), ...);
  fail<FileError>("[", checkpoint->path(), "] has the model_type ", printable(type), "; expected one of ", choices);
}

}  // namespace graft
