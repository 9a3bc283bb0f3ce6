/// @file
/// @brief `save_adapter`: a model's strategy as a folder, in PEFT's format where PEFT has one.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include <graft/io/adapter_base.hpp>
#include <graft/io/adapter_format.hpp>
#include <graft/io/adapter_tensors.hpp>
#include <graft/io/atomic_file.hpp>
#include <graft/io/atomic_folder.hpp>
#include <graft/io/peft/classification.hpp>
#include <graft/io/peft/ia3.hpp>
#include <graft/io/peft/lora.hpp>
#include <graft/io/peft/p_tuning.hpp>
#include <graft/io/peft/soft_prompts.hpp>
#include <graft/io/safetensors_writer.hpp>
#include <graft/models/adapter_set.hpp>
#include <graft/models/transformer.hpp>
#include <graft/tensor/finite.hpp>

namespace graft {

namespace detail {

/// @throws ConfigError if PEFT's format is asked for and cannot express it
template <class Adaptation>
[[nodiscard]] bool saved_as_peft(Adaptation const& settings, ModelInfo const& model, AdapterFormat format) {
  bool expressible = false;
  if constexpr (HasPeftFormat<Adaptation>) expressible = PeftFormat<Adaptation>::can_express(settings, model);
  if (format == AdapterFormat::peft && !expressible)
    fail<ConfigError>("[save_adapter] got the strategy ", Adaptation::name,
                      HasPeftFormat<Adaptation> ? " with settings" : "",
                      " that PEFT has no format for; expected a strategy and settings that it has; hint: graft's own "
                      "format holds all");
  return expressible && format != AdapterFormat::graft;
}

template <class Adaptation, class State>
[[nodiscard]] nlohmann::json adapter_config(Adaptation const& settings, State& state, ModelInfo const& model,
                                            std::string const& base_model, bool peft) {
  nlohmann::json config;
  if (peft) {
    if constexpr (HasPeftFormat<Adaptation>) config = PeftFormat<Adaptation>::config(settings, state, model);
  } else {
    config = strategy_json(settings);
    config.update(
        {{"graft_format", adapter_format}, {"architecture", model.architecture}, {"model", model_json(model)}});
  }
  config["base_model_name_or_path"] = base_model.empty() ? nlohmann::json() : nlohmann::json(base_model);
  return config;
}

/// A tensor's name in the file.
template <class Adaptation>
[[nodiscard]] std::string saved_name(std::string const& name, bool peft) {
  if constexpr (HasPeftFormat<Adaptation>)
    if (peft) return peft_name<Adaptation>(name);
  return name;
}

/// Writes both files into an existing folder. `where` is the adapter's final place, for messages;
/// `base` is what the file says of the base's weights.
template <class Scalar, class Device = Cpu, class Adaptation>
void write_adapter(Adaptation const& settings, StateOf<Adaptation, Scalar, Device>& state, ModelInfo const& model,
                   std::filesystem::path const& folder, std::filesystem::path const& where,
                   std::string const& base_model, AdapterFormat format, AdapterBase const& base = {}) {
  bool const peft = saved_as_peft(settings, model, format);
  auto const config = adapter_config(settings, state, model, base_model, peft);
  auto const tensors = on_host(adapter_tensors<Adaptation, Scalar, Device>(state));
  std::vector<TensorEntry> entries;
  for (auto const& tensor : tensors) {
    if (Index const i = first_not_finite(tensor.values); i >= 0)
      fail<NumericError>("[", where.string(), "] cannot be written; got ", tensor.values.data()[i], " in the tensor ",
                         printable(tensor.name), "; expected finite numbers; nothing was changed");
    auto const bytes = static_cast<std::size_t>(tensor.values.size()) * sizeof(Scalar);
    std::vector<std::int64_t> shape;
    for (int axis = 0; axis < tensor.values.shape().rank(); ++axis) shape.push_back(tensor.values.shape()[axis]);
    entries.push_back({saved_name<Adaptation>(tensor.name, peft), dtype_of<Scalar>, shape,
                       reinterpret_cast<std::byte const*>(tensor.values.data()), bytes, nullptr});
  }
  write_file_atomic(folder / "adapter_config.json",
                    config.dump(2, ' ', true, nlohmann::json::error_handler_t::replace));
  save_safetensors(folder / "adapter_model.safetensors", entries, adapter_metadata(base));
}
template <Architecture A, class Adaptation, class Scalar, class Device>
void write_adapter(Transformer<A, Adaptation, Scalar, Device> model, std::filesystem::path const& folder,
                   std::filesystem::path const& where, std::optional<std::string> const& base_model,
                   AdapterFormat format) {
  write_adapter<ParameterOf<Scalar>, Device>(model.settings(), model.state(), model.info(), folder, where,
                                             base_model.value_or(model.base()->source), format,
                                             adapter_base(*model.base()));
}

/// Puts the adapter's further files beside it and the whole in place; files of an adapter that it replaces go.
inline void commit_adapter(AtomicFolder& folder, std::map<std::string, std::string> const& files) {
  for (auto const& [name, text] : files) write_file_atomic(folder.staging() / name, text);
  folder.replace(is_adapter_file);
  folder.commit();
}

}  // namespace detail

/// Writes a model's adapter as a folder with adapter_config.json, adapter_model.safetensors and the files that the
/// options add; the base is not in it. The folder appears, or gets these files, as a whole. Files of an earlier adapter
/// that are not written anew
/// (`is_adapter_file`) go, others in it stay.
///
/// Prefix tuning (of all layers, with PositionPolicy::shift), prompt tuning (in front, shifted), P-tuning, LoRA and
/// (IA)³ are written exactly as Hugging Face PEFT does and load there: reparametrizing networks are applied and
/// dropped, and what only training needs (init, dropout of a prefix) is not kept. PEFT cannot express a prefix of some
/// layers or with positions kept, nor other strategies: they are written in graft's own format (adapter_format.hpp),
/// with all settings. `AdapterOptions::format` asks for one of the two formats.
/// @throws ConfigError if PEFT's format is asked for and has no place for it, FileError if it cannot be written,
/// NumericError if a parameter is NaN or infinite: the folder is as it was then
template <Architecture A, class Adaptation, class Scalar, class Device>
void save_adapter(Transformer<A, Adaptation, Scalar, Device> const& model, std::filesystem::path const& folder,
                  AdapterOptions const& options = {}) {
  static_assert(!HasAdapters<StateOf<Adaptation, ParameterOf<Scalar>, Device>>,
                "graft: a table of adapters is no file; save each adapter by the model that it came from; see "
                "docs/strategies/adapter_table.md");
  auto const target = adapter_path(folder, options.name);
  AtomicFolder files(target);
  detail::write_adapter(model, files.staging(), target, options.base_model, options.format);
  detail::commit_adapter(files, options.files);
}

/// Writes all adapters of a set at once, each under its name.
template <class Model>
void save_adapters(AdapterSet<Model> const& set, std::filesystem::path const& folder,
                   std::optional<std::string> const& base_model = std::nullopt) {
  AtomicFolder files(folder);
  for (auto const& name : set.names()) {
    auto const staged = adapter_path(files.staging(), name);
    std::error_code error;
    std::filesystem::create_directories(staged, error);
    if (error) fail<FileError>("[", adapter_path(folder, name).string(), "] cannot be written; got: ", error.message());
    detail::write_adapter(set.at(name), staged, adapter_path(folder, name), base_model, AdapterFormat::automatic);
  }
  if (set.contains(default_adapter))
    detail::commit_adapter(files, {});
  else
    files.commit();
}

}  // namespace graft
