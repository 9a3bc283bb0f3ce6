/// @file
/// @brief `load_adapter`: a folder that graft or PEFT wrote, as a model on a shared base.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <graft/io/adapter_base.hpp>
#include <graft/io/adapter_format.hpp>
#include <graft/io/adapter_tensors.hpp>
#include <graft/io/peft/classification.hpp>
#include <graft/io/peft/ia3.hpp>
#include <graft/io/peft/lora.hpp>
#include <graft/io/peft/p_tuning.hpp>
#include <graft/io/peft/soft_prompts.hpp>
#include <graft/models/adapt.hpp>
#include <graft/models/adapter_set.hpp>

namespace graft {

namespace detail {

/// Visits settings and those inside: f(field).
template <class Settings, class F>
void each_field(Settings& settings, F const& f) {
  each_setting(settings, [&](char const*, auto& field) {
    if constexpr (VisitedSettings<std::remove_cvref_t<decltype(field)>>)
      each_field(field, f);
    else
      f(field);
  });
}

/// Files hold soft prompts flat: without the MLP, or with `flat` set where a strategy has that.
template <class Settings>
void drop_reparametrizations(Settings& settings) {
  if constexpr (requires { settings.flat; }) settings.flat = true;
  each_setting(settings, [](char const*, auto& field) {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, std::optional<Mlp>>)
      field.reset();
    else if constexpr (VisitedSettings<Field>)
      drop_reparametrizations(field);
  });
}

template <class Adaptation>
struct BesideHead : std::false_type {};
template <class Adaptation>
struct BesideHead<Composed<Adaptation, ClassificationHead>> : std::true_type {
  using strategy = Adaptation;
};

/// A strategy's name with those of a composition's parts: `composed(prefix_tuning, lora)`.
template <class Adaptation>
[[nodiscard]] std::string full_name() {
  if constexpr (IsComposed<Adaptation>::value) {
    return []<class... Parts>(std::tuple<Parts...> const*) {
      std::string names;
      ((names += (names.empty() ? "" : ", ") + full_name<Parts>()), ...);
      return "composed(" + names + ")";
    }(static_cast<decltype(Adaptation::parts) const*>(nullptr));
  } else {
    return Adaptation::name;
  }
}
/// The same of a configuration in graft's format.
[[nodiscard]] inline std::string full_name(std::string const& where, nlohmann::json const& config) {
  std::string const type = json_at<std::string>(where, config, "graft_type");
  if (type != "composed") return type;
  auto const parts = json_at<nlohmann::json>(where, config, "parts");
  if (!parts.is_array()) fail<FileError>("[", where, "] has parts that are no array; got ", json_excerpt(parts));
  std::string names;
  for (auto const& part : parts) names += (names.empty() ? "" : ", ") + full_name(where, part);
  return "composed(" + names + ")";
}
/// What a folder holds, as `full_name` of its strategy.
[[nodiscard]] inline std::string held_name(AdapterFolder const& folder) {
  std::string const kind = folder.kind();
  if (folder.has_head()) return "composed(" + kind + ", classification_head)";
  return folder.is_peft() ? kind : full_name(folder.config_path, folder.config);
}

template <class Adaptation>
[[nodiscard]] Adaptation read_settings(AdapterFolder const& folder) {
  std::string const held = held_name(folder);
  if (held != full_name<Adaptation>())
    fail<FileError>("[", folder.folder.string(), "] holds an adapter of the strategy ", printable(held), "; expected ",
                    full_name<Adaptation>(),
                    folder.has_head() ? "; hint: its modules_to_save hold a classification head"
                                      : "; hint: adapter_kind tells which one a folder holds");
  Adaptation settings;
  if (!folder.is_peft())
    settings = read_graft_settings<Adaptation>(folder);
  else if constexpr (HasPeftFormat<Adaptation>)
    settings = PeftFormat<Adaptation>::settings(folder);
  else
    fail<FileError>("[", folder.config_path, "] has a peft_type for the strategy ", Adaptation::name,
                    "; expected a graft_type");
  drop_reparametrizations(settings);
  return settings;
}

template <class Adaptation>
void check_model(AdapterFolder const& folder, ModelInfo const& model) {
  if (!folder.is_peft())
    check_graft_model(folder, model);
  else if constexpr (HasPeftFormat<Adaptation>)
    PeftFormat<Adaptation>::check(folder, model);
}

/// A state of these settings whose numbers are still to be read: no initialiser runs the base.
template <class Adaptation, Architecture A, class Scalar, class Device>
[[nodiscard]] StateOf<Adaptation, Scalar, Device> unread_state(AdapterFolder const& folder,
                                                               Base<A, Scalar, Device> const& base,
                                                               Adaptation settings) {
  each_field(settings, [](auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, Init>) field = Init::normal;
  });
  try {
    check_numbers(settings);
    return StateOf<Adaptation, Scalar, Device>(settings, base->info(), access<A, Scalar, Device>(base), RandomKey());
  } catch (ConfigError const& error) {
    fail<FileError>("[", folder.config_path, "] does not fit this ", base->info().architecture,
                    " model: ", error.what());
  }
}

template <class Adaptation, Architecture A, class Scalar, class Device>
[[nodiscard]] Transformer<A, Adaptation, Scalar, Device> load(AdapterFolder const& folder,
                                                              Base<A, Scalar, Device> const& base,
                                                              LoadOptions const& options = {}) {
  auto settings = read_settings<Adaptation>(folder);
  check_model<Adaptation>(folder, base->info());
  SafetensorsFile const file = folder.tensors();
  ExtentCheck(folder, file).check(settings);
  auto state = unread_state<Adaptation, A, Scalar>(folder, base, settings);
  auto tensors = adapter_tensors<Adaptation, Scalar, Device>(state);
  if constexpr (HasPeftFormat<Adaptation>)
    if (folder.is_peft())
      for (auto& tensor : tensors) tensor.name = peft_name<Adaptation>(tensor.name);
  read_adapter_tensors(file, tensors, "this " + base->info().architecture + " model");
  check_adapter_base(file, *base, options);
  return {base, std::move(settings), std::move(state)};
}

}  // namespace detail

/// The settings in an adapter folder. Soft prompts are flat (no reparametrization); PEFT's folders know nothing of
/// training-only settings, which take their defaults.
/// @throws FileError if the folder holds another strategy, or an adapter that graft cannot honour (DoRA, patterns of
/// ranks, …)
template <class Adaptation>
[[nodiscard]] Adaptation read_adapter_settings(std::filesystem::path const& folder) {
  return detail::read_settings<Adaptation>(AdapterFolder::open(folder));
}

/// A model of this base with the adapter in `folder`, which graft or PEFT wrote (named adapters lie in subfolders:
/// `adapter_path`). The base is shared. The model can be trained on; a soft prompt is flat then, its MLP is gone. Keys
/// of the configuration that nobody knows are passed over, missing ones defaulted. A folder whose file names the base
/// that it was made over is not used over other weights (`LoadOptions`).
/// @throws FileError, one sentence, for everything that is missing, malformed, of another strategy or of another model,
/// and for NaN
template <class Adaptation, Architecture A, class Scalar, class Device>
[[nodiscard]] Transformer<A, Adaptation, Scalar, Device> load_adapter(
    std::shared_ptr<Pretrained<A, Scalar, Device> const> const& base, std::filesystem::path const& folder,
    LoadOptions const& options = {}) {
  return detail::load<Adaptation, A, Scalar>(AdapterFolder::open(folder), base, options);
}

/// Calls `f(model)` with the adapter in `folder`, whichever of `Adaptations` it is: the one place where a program turns
/// the folder's word into a type.
/// @throws FileError if it is none of them, and as `load_adapter`
template <class... Adaptations, Architecture A, class Scalar, class Device, class F>
void visit_adapter(std::shared_ptr<Pretrained<A, Scalar, Device> const> const& base,
                   std::filesystem::path const& folder, F const& f, LoadOptions const& options = {}) {
  auto const opened = AdapterFolder::open(folder);
  std::string const kind = detail::held_name(opened);
  bool const found = ((kind == detail::full_name<Adaptations>()
                           ? (f(detail::load<Adaptations, A, Scalar>(opened, base, options)), true)
                           : false) ||
                      ...);
  if (found) return;
  std::string choices;
  ((choices += (choices.empty() ? "" : ", ") + detail::full_name<Adaptations>()), ...);
  fail<FileError>("[", opened.config_path, "] holds an adapter of the strategy ", printable(kind), "; expected one of ",
                  choices);
}

/// All adapters of one strategy in a folder (the folder's own is "default") as a set on a shared base.
template <class Adaptation, Architecture A, class Scalar, class Device>
[[nodiscard]] AdapterSet<Transformer<A, Adaptation, Scalar, Device>> load_adapters(
    std::shared_ptr<Pretrained<A, Scalar, Device> const> const& base, std::filesystem::path const& folder,
    LoadOptions const& options = {}) {
  AdapterSet<Transformer<A, Adaptation, Scalar, Device>> set;
  auto const names = adapter_names(folder);
  if (names.empty())
    fail<FileError>("[", folder.string(),
                    "] holds no adapter; expected the file adapter_config.json in it or in a subfolder");
  for (auto const& name : names) set.add(name, load_adapter<Adaptation>(base, adapter_path(folder, name), options));
  return set;
}

}  // namespace graft
