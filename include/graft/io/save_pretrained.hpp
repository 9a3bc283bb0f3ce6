/// @file
/// @brief `save_pretrained`: a base model (a merged one, say) as a Hugging Face folder.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/io/adapter_folder.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/json.hpp>
#include <graft/io/safetensors_writer.hpp>
#include <graft/models/pretrained.hpp>
#include <graft/tensor/finite.hpp>

namespace graft {

namespace detail {

/// A merged head may tell other classes apart than the base's configuration says: they get transformers' names.
inline void set_labels(nlohmann::json& config, Index labels) {
  config.erase("num_labels");
  config["id2label"] = config["label2id"] = nlohmann::json::object();
  for (Index i = 0; i < labels; ++i) {
    config["id2label"][std::to_string(i)] = cat("LABEL_", i);
    config["label2id"][cat("LABEL_", i)] = i;
  }
}

}  // namespace detail

/// Whether a file of that name holds weights that a loader would take in place of, or beside, a new model.safetensors:
/// shards and their index, pickled ones, and adapters, which transformers puts on the model in whose folder they lie.
[[nodiscard]] inline bool is_weights_file(std::string_view name) {
  bool const shard = (name.starts_with("model.") || name.starts_with("model-")) &&
                     (name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json"));
  bool const pickled =
      name.starts_with("pytorch_model") && (name.ends_with(".bin") || name.ends_with(".bin.index.json"));
  return shard || pickled || is_adapter_file(name);
}

/// Writes config.json, as the checkpoint that the base was loaded from had it, and model.safetensors in the model's
/// scalar, for load_pretrained and for transformers. A tied head is not written. Files of the tokenizer are not the
/// base's: copy them. The folder appears, or gets the two files, as a whole; other weights in it go
/// (`is_weights_file`), other files stay.
/// @throws ConfigError for a base that was loaded from no checkpoint, FileError if the folder cannot be written,
/// NumericError if a weight is NaN or infinite
template <Architecture A, class Scalar>
void save_pretrained(Base<A, Scalar, Cpu> const& base, std::filesystem::path const& folder) {
  if (base->configuration.empty())
    fail<ConfigError>(
        "[save_pretrained] got a base without a configuration; expected one that load_pretrained has read");
  nlohmann::json config = parse_json(base->configuration, base->source);
  for (char const* key : {"quantization_config", "torch_dtype"}) config.erase(key);
  // what the files say of the head, as load_pretrained found it; T5's and BART's stacks are tied to one embedding in
  // any case
  bool const one_table = A::stacks == StackKind::encoder_decoder;
  if (A::head == HeadKind::language_model && base->config().architecture != "t5" &&
      base->config().architecture != "t5_v1_1")
    config["tie_word_embeddings"] = one_table || base->config().tied_head;
  config["dtype"] = dtype_of<Scalar> == Dtype::f64 ? "float64" : "float32";

  std::vector<Tensor<Scalar>> kept;  // the entries refer to them
  std::vector<TensorEntry> entries;
  auto const add = [&](std::string const& name, Tensor<Scalar> tensor) {
    if (tensor.empty()) return;
    if (Index const i = first_not_finite(tensor); i >= 0)
      fail<NumericError>("[", folder.string(), "] cannot be written; got ", tensor.data()[i], " in the tensor ",
                         printable(name),
                         "; expected finite numbers; hint: a smaller weight of the adapter; nothing was changed");
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < tensor.shape().rank(); ++axis) shape.push_back(tensor.shape()[axis]);
    entries.push_back({name, dtype_of<Scalar>, shape, reinterpret_cast<std::byte const*>(tensor.data()),
                       static_cast<std::size_t>(tensor.size()) * sizeof(Scalar), nullptr});
    kept.push_back(std::move(tensor));
  };
  for (auto const& site : base->info().sites) {
    if (site.tied) continue;
    auto const& weights = base->at(site.address);
    if (site.address.site == Site::classifier && !weights.matrix.empty() && weights.matrix.out() != site.out)
      detail::set_labels(config, weights.matrix.out());
    if (site.role == Role::buffer) {
      add(site.name, weights.bias.reshape(Shape{site.out, site.in}));
      continue;
    }
    add(site.name + ".weight", site.role == Role::norm  ? weights.gain
                               : weights.matrix.empty() ? Tensor<Scalar>()
                                                        : weights.matrix.dense());
    if (site.bias) add(site.name + ".bias", weights.bias);
  }
  AtomicFolder files(folder);
  write_file_atomic(files.staging() / "config.json", config.dump(2) + "\n");
  save_safetensors(files.staging() / "model.safetensors", entries);
  files.replace(is_weights_file);
  files.commit();
}

}  // namespace graft
