/// @file
/// @brief Soft prompts as bare arrays, `.npy` files `[virtual tokens, width]` as google-research/prompt-tuning
/// publishes them, and as adapter folders.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include <graft/core/presence.hpp>
#include <graft/io/npy.hpp>
#include <graft/io/save_adapter.hpp>
#include <graft/tensor/finite.hpp>

namespace graft {

namespace detail {

/// The embeddings in a folder of prompt tuning, P-tuning or embedding-only tuning at the front, without rows that are
/// never read.
[[nodiscard]] inline TensorEntry prompt_of_folder(std::filesystem::path const& path) {
  auto const folder = AdapterFolder::open(path);
  std::string const kind = folder.kind();
  bool const soft_prompt = kind == PromptTuning::name || kind == "p_tuning" || kind == "embedding_only";
  if (!soft_prompt || folder.has_head())
    fail<FileError>("[", folder.config_path, "] holds an adapter of the strategy ", printable(kind),
                    folder.has_head() ? " with a classification head" : "",
                    "; expected a soft prompt alone: prompt_tuning, p_tuning or embedding_only");
  auto const settings = folder.is_peft() ? nlohmann::json::object()
                                         : json_or<nlohmann::json>(folder.config_path, folder.config, "settings",
                                                                   nlohmann::json::object());
  if (json_or<std::string>(folder.config_path, settings, "place", "front") != "front")
    fail<FileError>(
        "[", folder.config_path,
        "] holds virtual tokens at the infix place; expected them at the front, where a bare array's stand");
  if (json_or<std::string>(folder.config_path, settings, "side", "source") != "source")
    fail<FileError>(
        "[", folder.config_path,
        "] holds virtual tokens of the target side; expected them before the source, where a bare array's stand");
  auto const length = folder.is_peft() ? positive_size(folder, "num_virtual_tokens")
                                       : json_at<std::int64_t>(folder.config_path, settings, "length");
  SafetensorsFile const file = folder.tensors();
  TensorEntry entry = file.at(soft_prompt_tensor);
  if (entry.shape.size() != 2 || length < 1 || entry.shape[0] < length || entry.shape[0] % length != 0)
    fail<FileError>("[", file.path(), "] tensor ", printable(soft_prompt_tensor), " does not fit; got the shape ",
                    shape_text(entry.shape), "; expected [", length, ", width]");
  entry.shape[0] = length;
  return entry;
}

}  // namespace detail

/// The embeddings `[P, width]` of a soft prompt: of a `.npy` file in float32 or float64, or of an adapter folder.
/// @throws FileError for another strategy's folder, other shapes, numbers that are not finite
[[nodiscard]] inline Tensor<float> read_prompt(std::filesystem::path const& path) {
  TensorEntry const entry = is_folder(path) ? detail::prompt_of_folder(path) : read_npy(path);
  bool const real =
      entry.dtype == Dtype::f64 || entry.dtype == Dtype::f32 || entry.dtype == Dtype::f16 || entry.dtype == Dtype::bf16;
  if (!real || entry.shape.size() != 2 || entry.shape[0] < 1 || entry.shape[1] < 1)
    fail<FileError>("[", path.string(), "] is no soft prompt; got ", dtype_name(entry.dtype), " ",
                    shape_text(entry.shape), "; expected floating-point numbers [virtual tokens, width]");
  Tensor<float> values(Shape{entry.shape[0], entry.shape[1]});
  convert_values(entry.dtype, entry.data, static_cast<std::size_t>(values.size()), values.data());
  if (Index const i = first_not_finite(values); i >= 0)
    fail<FileError>("[", path.string(), "] has a bad value; got ", values.data()[i], " at element ", i,
                    "; expected finite numbers");
  return values;
}

/// Writes embeddings as a `.npy` file in float32.
inline void write_prompt(std::filesystem::path const& path, Tensor<float> const& values) {
  write_npy(path, {"",
                   Dtype::f32,
                   {values.rows(), values.width()},
                   reinterpret_cast<std::byte const*>(values.data()),
                   static_cast<std::size_t>(values.size()) * sizeof(float),
                   nullptr});
}

/// Writes embeddings as a folder of prompt tuning for models of this description: virtual tokens in front, whose
/// positions run on, as PEFT has them. The weights of the model are not needed.
/// @throws ShapeError for another width than the model's, and as `save_adapter`
inline void save_prompt(Tensor<float> const& values, ModelInfo const& model, std::filesystem::path const& folder,
                        AdapterOptions const& options = {}) {
  if (values.shape().rank() != 2 || values.rows() < 1 || values.width() != model.width)
    fail<ShapeError>("[save_prompt] got embeddings ", values.shape(), "; expected [virtual tokens, ", model.width,
                     "] for this ", model.architecture, " model");
  PromptTuning const settings{.length = values.rows(), .init = Init::normal, .positions = PositionPolicy::shift};
  StateOf<PromptTuning, float, Cpu> state(settings, model, {}, RandomKey());
  state.adopt(values);
  auto const target = adapter_path(folder, options.name);
  AtomicFolder files(target);
  detail::write_adapter<float>(settings, state, model, files.staging(), target, options.base_model.value_or(""),
                               options.format);
  detail::commit_adapter(files, options.files);
}

}  // namespace graft
